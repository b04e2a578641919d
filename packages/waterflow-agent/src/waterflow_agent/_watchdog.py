"""An asynchronous node that blocks: it would stop the heartbeats of the agent and every other step on its host.

A timer of the kernel is set anew as long as the event loop turns. Where it runs out, its signal handler finds out whose
code the loop is in, and raises there. That ends an endless loop in Python as well as a call that waits, such as
``time.sleep``; C code that does not come back is out of reach.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextvars import ContextVar
from types import FrameType

from waterflow_sdk.node import NodeError

logger = logging.getLogger("waterflow.agent")

LIMIT = 8.0
"""Seconds without a turn of the loop: well below the heartbeat time-out; an import on a busy host takes less."""

_TURN = 1.0
_AGAIN = 1.0

running_step: ContextVar[str | None] = ContextVar("running_step", default=None)
"""The attempt whose node, or a task that it made, is running now."""


class NodeBlocks(NodeError):
    """A node kept the event loop; ``details`` has the seconds."""

    default_code = "node-blocks"


class Watchdog:
    """Watches the running event loop of this process, which must be in the main thread, until :meth:`stop`."""

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._late = False
        self._loop = asyncio.get_running_loop()
        self._former = signal.signal(signal.SIGALRM, self._alarm)
        self._turn()

    def stop(self) -> None:
        """No longer watches."""
        self._next.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._former)

    def _turn(self) -> None:
        self._late = False
        signal.setitimer(signal.ITIMER_REAL, self._limit + min(_TURN, self._limit), min(_AGAIN, self._limit))
        self._next = self._loop.call_later(min(_TURN, self._limit), self._turn)

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        """Twice in a row, because the first one also comes to a process that was frozen and goes on."""
        del number
        if not self._late:
            self._late = True
            return
        step = running_step.get()
        if step is None or not _is_foreign(frame):
            return
        seconds = self._limit
        logger.error("the node of %s blocks the agent for more than %g s; it is interrupted", step, seconds)
        raise NodeBlocks(
            f"the node kept the agent's event loop for more than {seconds:g} s: an asynchronous node must await what "
            "takes long; a plain `def execute` runs in a thread of its own",
            details={"seconds": seconds},
        )


_OURS = frozenset({"waterflow_agent", "waterflow_sdk", "temporalio"})
_CALLED = asyncio.Handle._run.__code__  # pyright: ignore[reportPrivateUsage] (the frame below which the loop is)


def _is_foreign(frame: FrameType | None) -> bool:
    """Whether code of a node runs, itself or in the standard library; what the agent writes must not be cut off."""
    while frame is not None and frame.f_code is not _CALLED:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _OURS:
            return False
        if package not in sys.stdlib_module_names:
            return True
        frame = frame.f_back
    return False
