"""Follow the log of a run to its end: lines as they come, until the run has ended and every attempt's log is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from waterflow_sdk.wire import LogEnd, LogLine, RunState, StreamName

from ._kept import attempts_of
from ._query import LogQuery
from ._store import LogBatch, LogStore

LATE_LOGS = 10.0
"""How long a log is waited for after the run has ended, in seconds."""

_SHORTEST, _LONGEST = 0.25, 2.0  # between two looks at the run, in seconds

RunReader = Callable[[bool], Awaitable[RunState | None]]
"""Gives the run's state, with steps and attempts when asked for the full one; None when it cannot be known just now."""


class Follower:
    """Follows one run's log for one reader.

    ``lines`` gives batches, empty ones too: they are the reader's chance to show that the connection lives. When it is
    through, ``end`` says how the run ended. ``closing`` ends it early, without an end.
    """

    def __init__(self, store: LogStore, run: str, read_run: RunReader, query: LogQuery, closing: asyncio.Event) -> None:
        self._store = store
        self._run = run
        self._read_run = read_run
        self._query = query
        self._closing = closing
        self._pause = _SHORTEST
        self.end: LogEnd | None = None

    async def lines(self, after: str | None) -> AsyncIterator[list[LogLine]]:
        """The lines after the cursor, then those that come. Raises as the store and as reading the run do."""
        deadline: float | None = None
        cursor = after
        while not self._closing.is_set():
            state = await self._read_run(False)
            missing: list[str] | None = None
            if state is not None and state.state.ended:
                deadline = deadline or _now() + LATE_LOGS
                missing = await self._missing()
            # Read only now: what the sizes above counted is surely among it.
            async for batch in self._store.read(self._run, cursor, self._query):
                cursor = batch.cursor
                self._pause = _SHORTEST
                yield batch.lines
            if state is not None and missing is not None and (not missing or _now() >= (deadline or 0.0)):
                self.end = LogEnd(state=state.state, missing=missing)
                return
            async for batch in self._until_next_look(cursor):
                cursor = batch.cursor
                yield batch.lines
            yield []

    async def _until_next_look(self, cursor: str | None) -> AsyncIterator[LogBatch]:
        until = _now() + self._pause
        self._pause = min(self._pause * 1.5, _LONGEST)
        while (left := until - _now()) > 0 and not self._closing.is_set():
            if await self._store.wait(self._run, cursor, min(left, 0.5)):
                async for batch in self._store.read(self._run, cursor, self._query):
                    cursor = batch.cursor
                    self._pause = _SHORTEST
                    yield batch

    async def _missing(self) -> list[str] | None:
        """Streams of which more has been written than is here; None when that cannot be known just now."""
        run = await self._read_run(True)
        if run is None:
            return None
        sizes = await self._store.stream_sizes(self._run)
        return sorted(
            log.stream
            for attempt in attempts_of(run)
            if (log := attempt.log) is not None
            and sizes.get(log.stream, 0) < log.bytes
            and self._wants(StreamName.parse(log.stream))
        )

    def _wants(self, stream: StreamName) -> bool:
        """Streams of a former run that a retry kept are complete, or were forgotten with it."""
        return stream.run == self._run and self._query.wants_stream(stream)


def _now() -> float:
    return asyncio.get_running_loop().time()
