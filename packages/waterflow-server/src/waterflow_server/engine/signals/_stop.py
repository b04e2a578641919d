"""Stopping early: cancel and time-out, and how whatever is running hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from temporalio import workflow

from waterflow_sdk.wire import State

T = TypeVar("T")


class Stop:
    """Why a run or job is to end early. What starts *after* a request (``always()``, ``finally``) is not stopped by it;
    a further request stops that as well.
    """

    def __init__(self) -> None:
        self.state: State | None = None
        self.reason = ""
        self.force = False
        self.requests = 0
        """How many requests came; whoever waits compares it with what it was."""
        self.outer: State | None = None
        """The request that was set aside."""

    @property
    def cancelled(self) -> bool:
        """What ``cancelled()`` says. A time-out cancels what is left, as on GitHub."""
        return self.state is not None

    @contextmanager
    def set_aside(self, within: State | None = None) -> Generator[None]:
        """What runs inside (rollback, ``finally``) does not see the request that came before it.

        ``within``: what was asked inside already, where it goes on after a roll-over.
        """
        self.outer, self.state = self.state, within
        try:
            yield
        finally:
            self.state, self.outer = self.outer or self.state, None

    def request(self, state: State, reason: str, *, force: bool = False) -> None:
        """Ask everything that runs now to end. The first reason stays."""
        if self.state is None:
            self.state, self.reason = state, reason
        self.force = self.force or force
        self.requests += 1

    async def interrupts(self, task: asyncio.Future[Any]) -> bool:
        """Wait for the task or the next request, whichever is first; true when a request came."""
        seen = self.requests
        await workflow.wait_condition(lambda: task.done() or self.requests != seen)
        return not task.done()

    async def sleep(self, seconds: float) -> bool:
        """A durable timer; false when a request cut it short."""
        timer = asyncio.ensure_future(asyncio.sleep(seconds))
        if await self.interrupts(timer):
            timer.cancel()
            return False
        return True
