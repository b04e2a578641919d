"""A time-out of an update and a cancel of who waits for it, which Temporal's SDK does not tell apart."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_server._deadline import deadline

QUEUE = "deadline"


@workflow.defn
class Silent:
    """Takes an update and never answers it."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(hours=1))

    @workflow.update
    async def ask(self) -> None:
        await workflow.sleep(timedelta(hours=1))


async def silent(client: Client) -> WorkflowHandle[Silent, None]:
    return await client.start_workflow(Silent.run, id="silent", task_queue=QUEUE)


def worker(client: Client) -> Worker:
    return Worker(client, task_queue=QUEUE, workflows=[Silent], workflow_runner=UnsandboxedWorkflowRunner())


class TestDeadline:
    async def test_an_update_that_is_not_answered_is_a_time_out(self, client: Client):
        async with worker(client):
            handle = await silent(client)
            with pytest.raises(TimeoutError):
                async with deadline(0.2):
                    await handle.execute_update(Silent.ask)

    async def test_a_cancel_from_outside_stays_a_cancel(self, client: Client):
        async def ask(handle: WorkflowHandle[Silent, None]) -> None:
            async with deadline(60):
                await handle.execute_update(Silent.ask)

        async with worker(client):
            asking = asyncio.create_task(ask(await silent(client)))
            done, _ = await asyncio.wait([asking], timeout=0.5)
            assert not done
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    async def test_what_ends_in_time_is_left_alone(self):
        async with deadline(60):
            await asyncio.sleep(0)
