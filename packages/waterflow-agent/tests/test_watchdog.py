"""An asynchronous node that blocks the event loop is interrupted; the agent's own work and other steps are not."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from waterflow_agent._clock import now
from waterflow_agent._logs import AttemptLog
from waterflow_agent._logs._spool import SpoolFile
from waterflow_agent._watchdog import NodeBlocks, Watchdog, running_step
from waterflow_sdk.node import Node, NodeContext
from waterflow_sdk.testing import run_node_async
from waterflow_sdk.wire import LogRecord, LogStreamKind

MESSAGE = (
    "the node kept the agent's event loop for more than 0.1 s: an asynchronous node must await what takes long; "
    "a plain `def execute` runs in a thread of its own"
)


@pytest.fixture
async def watched() -> Any:
    """A watched loop in which a node runs."""
    running_step.set("r1/build/steps[0].1")
    watchdog = Watchdog(limit=0.1)
    yield
    watchdog.stop()


def loops_for_ever() -> None:
    while True:
        pass


def sleeps() -> None:
    time.sleep(600)


def waits_for_a_lock() -> None:
    threading.Event().wait(600)


def swallows_everything_once() -> None:
    try:
        sleeps()
    except Exception:
        sleeps()


class Blocking(Node):
    """Blocks in the way that the test says."""

    name = "demo/blocking"
    version = "1.0.0"
    how: ClassVar[list[Callable[[], None]]] = []

    async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None:
        del ctx, inputs
        await asyncio.sleep(0)
        self.how[0]()


@pytest.mark.usefixtures("watched")
class TestInterrupted:
    @pytest.mark.parametrize(
        "how", [loops_for_ever, sleeps, waits_for_a_lock, swallows_everything_once], ids=lambda how: how.__name__
    )
    async def test_the_step_fails_and_the_loop_turns_again(
        self, how: Callable[[], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(Blocking, "how", [how])
        error = (await run_node_async(Blocking)).error
        assert error is not None
        assert (error.code, error.message) == ("node-blocks", MESSAGE)
        assert caplog.messages[-1] == (
            "the node of r1/build/steps[0].1 blocks the agent for more than 0.1 s; it is interrupted"
        )

    async def test_another_task_of_the_node_too(self) -> None:
        async def block() -> None:
            sleeps()

        with pytest.raises(NodeBlocks, match="kept the agent's event loop"):
            await asyncio.create_task(block())


class TestLeftAlone:
    @pytest.mark.usefixtures("watched")
    async def test_a_node_that_awaits(self) -> None:
        await asyncio.sleep(1.0)

    @pytest.mark.usefixtures("watched")
    async def test_the_agent_that_writes_for_a_node(self, tmp_path: Path) -> None:
        """A disk that hangs is not the node's fault, and what is written half would be worse than the delay."""
        file = SpoolFile(tmp_path / "log")
        log = AttemptLog("r1/build/steps[0].1", file, lambda _: None, lambda _: None)
        lock = cast("threading.Lock", vars(log)["_lock"])
        lock.acquire()
        threading.Timer(0.7, lock.release).start()
        log.append([LogRecord(time=now(), stream=LogStreamKind.STDOUT, text="whole")])
        assert log.close().lines == 1

    @pytest.mark.usefixtures("watched")
    async def test_code_that_belongs_to_no_step(self) -> None:
        running_step.set(None)
        time.sleep(0.7)  # noqa: ASYNC251 (it is what is tested)

    async def test_a_process_that_was_frozen_and_goes_on(self) -> None:
        """The timer runs out while it stands still: one alarm says nothing about whose fault that is."""
        running_step.set("r1/build/steps[0].1")
        watchdog = Watchdog(limit=60.0)
        for _ in range(2):
            signal.raise_signal(signal.SIGALRM)
            await asyncio.sleep(1.2)  # longer than a turn
        signal.raise_signal(signal.SIGALRM)
        with pytest.raises(NodeBlocks):
            signal.raise_signal(signal.SIGALRM)
        watchdog.stop()


class TestStop:
    async def test_gives_the_signal_back(self) -> None:
        former = signal.getsignal(signal.SIGALRM)
        watchdog = Watchdog(limit=0.1)
        assert signal.getsignal(signal.SIGALRM) != former
        watchdog.stop()
        assert signal.getsignal(signal.SIGALRM) == former
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        time.sleep(0.5)  # noqa: ASYNC251 (nothing interrupts it)


@pytest.fixture(autouse=True)
def no_alarm_left() -> Iterator[None]:
    """An alarm that came later would end the test process."""
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
