"""What comes at the wrong moment: a word to a child that is being started, a stop while a step says that it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import State
from waterflow_server.engine._wire import CANCEL_SIGNAL, EVENT_SIGNAL, CancelOrder, Event
from waterflow_server.engine.fanout._children import Children
from waterflow_server.engine.memory._records import StepRecord
from waterflow_server.engine.memory._rollover import RollOver
from waterflow_server.engine.nodes._control import Control
from waterflow_server.engine.signals._stop import Stop

QUEUE = "races"
FAMILY = "job"


@workflow.defn
class Listener:
    """Says what it has heard, once it was cancelled or heard ``last``."""

    def __init__(self) -> None:
        self._heard: list[str] = []

    @workflow.run
    async def run(self, given: str) -> list[str]:
        del given
        await workflow.wait_condition(lambda: any(word in self._heard for word in ("last", "cancel: enough")))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._heard

    @workflow.signal(name=EVENT_SIGNAL)
    def event(self, event: Event) -> None:
        self._heard.append(event.name)

    @workflow.signal(name=CANCEL_SIGNAL)
    def cancel(self, order: CancelOrder) -> None:
        self._heard.append(f"cancel: {order.reason}")


@workflow.defn
class Starter:
    """Starts a child and speaks to it in the same workflow task, so that the child cannot have been started yet."""

    @workflow.run
    async def run(self, words: list[str]) -> list[str]:
        stop = Stop()
        children = Children(stop)
        children.found(FAMILY)
        id = f"{workflow.info().workflow_id}/child"
        starting = asyncio.create_task(children.start(FAMILY, "Listener", "", id, list[str]))
        await asyncio.sleep(0)
        for word in words:
            if word == "cancel":
                stop.request(State.CANCELLED, "enough")
                await children.send(CANCEL_SIGNAL, CancelOrder(reason=stop.reason))
            else:
                await children.send(EVENT_SIGNAL, Event(name=word))
        assert not starting.done()
        return await (await starting)


@workflow.defn
class Waiter:
    """A step that waits; a stop comes while it is still telling so."""

    @workflow.run
    async def run(self) -> bool:
        stop = Stop()

        async def tell(state: State, reason: str) -> None:
            del reason
            if state is State.WAITING:
                stop.request(State.CANCELLED, "enough")

        given: Any = None
        control = Control(
            given=given,
            inputs={},
            record=StepRecord(path="steps[0]", id=None, name="", node="wait"),
            stop=stop,
            roll=RollOver(0),
            inbox=given,
            set_vars=lambda _: None,
            tell=tell,
        )
        return await control.until(lambda: False, None, "event go")


@pytest.fixture(autouse=True)
async def worker(client: Client) -> AsyncIterator[None]:
    """Runs the workflows of this file."""
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Listener, Starter, Waiter],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


class TestAChildThatIsBeingStarted:
    @pytest.mark.parametrize(
        ("words", "heard"),
        [
            pytest.param(["first", "last"], ["first", "last"], id="events reach it, in order"),
            pytest.param(["cancel"], ["cancel: enough"], id="a cancel reaches it once"),
        ],
    )
    async def test_hears_what_was_said_meanwhile(self, client: Client, words: list[str], heard: list[str]) -> None:
        assert heard == await client.execute_workflow(
            Starter.run, words, id="starter", task_queue=QUEUE, execution_timeout=timedelta(seconds=120)
        )


class TestAStopWhileAStepTellsThatItWaits:
    async def test_ends_the_wait(self, client: Client) -> None:
        came = await client.execute_workflow(
            Waiter.run, id="waiter", task_queue=QUEUE, execution_timeout=timedelta(seconds=120)
        )
        assert came is False
