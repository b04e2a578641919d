"""The reference: what somebody writes for Temporal by hand to run steps that do nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "hand-written"
"""Task queue of the workflows."""

_LIMIT = timedelta(seconds=60)


@activity.defn(name="noop")
async def noop(inputs: dict[str, int]) -> dict[str, int]:
    """A step that does nothing."""
    return inputs


@workflow.defn
class HandWritten:
    """Activities one after the other on one queue."""

    @workflow.run
    async def run(self, steps: int, queue: str) -> int:
        for number in range(steps):
            await workflow.execute_activity(noop, {"n": number}, task_queue=queue, start_to_close_timeout=_LIMIT)
        return steps


@workflow.defn
class HandWrittenFanOut:
    """One child for each queue."""

    @workflow.run
    async def run(self, steps: int, queues: Sequence[str]) -> int:
        own = workflow.info().workflow_id
        children = [
            workflow.execute_child_workflow(HandWritten.run, args=[steps, queue], id=f"{own}/{queue}")
            for queue in queues
        ]
        return sum(await asyncio.gather(*children))


def workflow_worker(client: Client, queue: str = QUEUE) -> Worker:
    """Outside the sandbox, as Waterflow's interpreter: the sandbox would make the reference slower."""
    return Worker(
        client,
        task_queue=queue,
        workflows=[HandWritten, HandWrittenFanOut],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


def activity_worker(client: Client, queue: str) -> Worker:
    """The SDK's defaults."""
    return Worker(client, task_queue=queue, activities=[noop])
