"""Ctrl-C and SIGTERM while a run is followed."""

from __future__ import annotations

import asyncio
import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Self

from .._console import is_terminal


class Signals:
    """Inside its ``with`` block SIGINT and SIGTERM are events, not exceptions."""

    def __init__(self) -> None:
        self.interrupted = asyncio.Event()
        self.terminated = asyncio.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number, event in ((signal.SIGINT, self.interrupted), (signal.SIGTERM, self.terminated)):

            def handle(_number: int, _frame: FrameType | None, event: asyncio.Event = event) -> None:
                loop.call_soon_threadsafe(event.set)

            self._before[number] = signal.signal(number, handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    async def either(self) -> None:
        """Wait for one of the two."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.interrupted, self.terminated)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


async def ask(question: str, answers: str) -> str:
    """One of the letters of ``answers``; the first one when nothing sensible comes."""
    sys.stderr.write(question)
    sys.stderr.flush()
    line = await asyncio.to_thread(sys.stdin.readline)  # in a thread: the run is followed meanwhile
    letter = line.strip().lower()[:1]
    return letter if letter and letter in answers else answers[0]
