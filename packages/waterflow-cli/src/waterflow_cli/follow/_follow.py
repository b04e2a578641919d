"""The run's log and state, brought to a view until the run has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from waterflow_sdk.client import LogStream, Run, ServerUnavailable, WaterflowError
from waterflow_sdk.wire import LogLine, RunState

from ._view import RunView

POLL = 0.5
"""Seconds between two looks at the run's state."""

LOG_GRACE = 10.0
"""Seconds that the log gets to end after the run has ended; an agent that died may never send its last lines."""


async def follow(run: Run, view: RunView) -> RunState:
    """Show the run until it has ended; give its full state."""
    follower = _Follower(run, view)
    try:
        return await follower.follow()
    finally:
        view.stop()


async def show_log(log: LogStream, show: Callable[[Sequence[LogLine]], None]) -> None:
    """Show a log to its end."""
    async with log:
        while lines := await log.next_batch():
            show(lines)


class _Follower:
    def __init__(self, run: Run, view: RunView) -> None:
        self._run = run
        self._view = view
        self._away = False

    async def follow(self) -> RunState:
        self._view.progress.update(await self._run.status("summary"))
        self._view.start()
        log = asyncio.create_task(self._log())
        try:
            await self._until_ended(log)
            done, _ = await asyncio.wait({log}, timeout=LOG_GRACE)
            if done:
                log.result()
            else:
                self._view.message("the log is not complete: some lines have not reached the server")
        finally:
            log.cancel()
            with suppress(asyncio.CancelledError, WaterflowError):
                await log
        return await self._final()

    async def _log(self) -> None:
        async with self._run.logs(follow=True) as log:
            while lines := await log.next_batch():
                await self._learn_hosts(lines)
                self._view.progress.hear(lines)
                self._view.lines(lines)

    async def _learn_hosts(self, lines: Sequence[LogLine]) -> None:
        """A line may come before the state that names its host: then the state is asked for first."""
        if any(not self._view.progress.knows(line.job) for line in lines):
            await self._look()

    async def _until_ended(self, log: asyncio.Task[None]) -> None:
        while not await self._look():
            # The end of the log says that the run has ended, before the next look would find out.
            await asyncio.wait({log}, timeout=POLL)
            if log.done():
                log.result()
                await asyncio.sleep(POLL / 5)

    async def _look(self) -> bool:
        try:
            state = await self._run.status("summary")
        except ServerUnavailable as error:
            if not self._away:
                self._view.message(f"{error.message}; trying again (the run goes on)")
            self._away = True
            return False
        if self._away:
            self._away = False
            self._view.message("the server answers again")
        self._view.progress.update(state)
        self._view.refresh()
        return state.state.ended

    async def _final(self) -> RunState:
        state = await self._run.wait()
        self._view.progress.update(state)
        return state
