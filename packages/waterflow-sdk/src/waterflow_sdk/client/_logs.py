"""The log of a run, line by line, across broken connections and restarts of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec

from ..wire import LogEnd, LogLine, LogStreamKind
from ._errors import RunNotFound, ServerUnavailable, TooManyRequests
from ._log_readers import EventReader, LineReader, Place
from ._problems import not_waterflow, to_error
from ._transport import LONGEST_PAUSE, REQUEST_ID, Query, Transport, pauses

IDLE_TIMEOUT = 60.0
"""Seconds without a byte (the server sends a comment well within them) after which a connection counts as dead."""

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a run's log. Each filter that is not None narrows it.

    ``job`` is a job id or instance, ``step`` a step id or path, ``host`` an agent's name or id, ``tail`` the number of
    last lines to begin with, ``since`` the time to begin at, ``search`` text that a line must hold.
    """

    job: str | None = None
    step: str | None = None
    host: str | None = None
    attempt: int | None = None
    stream: LogStreamKind | None = None
    tail: int | None = None
    since: datetime | None = None
    search: str | None = None

    def query(self, *, resumed: bool) -> dict[str, str | int | None]:
        """As parameters. Once a line was received, ``tail`` has done its work: the cursor says where to go on."""
        query: dict[str, str | int | None] = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        if resumed:
            query["tail"] = None
        return query


class LogStream:
    """Async iterator over the :class:`~waterflow_sdk.wire.LogLine` of a run; each line comes exactly once.

    A broken connection is taken up again after the last line received, with growing pauses: without end, or until the
    server has been away for ``give_up_after`` seconds, which raises :class:`ServerUnavailable`.
    """

    def __init__(
        self, transport: Transport, path: str, filter: LogFilter, *, follow: bool, give_up_after: float | None
    ) -> None:
        self._transport = transport
        self._path = path
        self._filter = filter
        self._follow = follow
        self._give_up_after = give_up_after
        self._place = Place()
        self._batches = self._all()
        self._ready: list[LogLine] = []

    @property
    def cursor(self) -> str:
        """Where the stream is: the cursor of the last line received, ``""`` before the first."""
        return self._place.cursor

    @property
    def end(self) -> LogEnd | None:
        """How the run ended, once a followed log is at its end."""
        return self._place.end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LogLine:
        while not self._ready:
            self._ready = (await anext(self._batches))[::-1]
        return self._ready.pop()

    async def next_batch(self) -> list[LogLine]:
        """The lines that have come since the last call, at least one; empty at the end. Faster than line by line."""
        if self._ready:
            ready, self._ready = self._ready[::-1], []
            return ready
        nothing: list[LogLine] = []
        return await anext(self._batches, nothing)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._batches.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _all(self) -> AsyncGenerator[list[LogLine], None]:
        waits = pauses()
        contact = time.monotonic()
        while True:
            began = time.monotonic()
            known = self.cursor
            try:
                async with aclosing(self._connection()) as connection:
                    async for lines in connection:
                        if lines:
                            yield lines
                        contact = time.monotonic()
                return
            except (ServerUnavailable, TooManyRequests) as error:
                self._check_patience(error, contact)
            if self.cursor != known or time.monotonic() - began > LONGEST_PAUSE:
                waits = pauses()
            await asyncio.sleep(max(next(waits), self._place.retry))

    def _check_patience(self, error: ServerUnavailable | TooManyRequests, contact: float) -> None:
        patience = self._give_up_after
        if patience is None and not self._follow:
            patience = self._transport.settings.timeout
        if patience is not None and time.monotonic() - contact >= patience:
            raise error

    async def _connection(self) -> AsyncGenerator[list[LogLine], None]:
        """Batches (empty ones are signs of life) until the end of the log; raises when the connection breaks before."""
        headers = {"Accept": SSE if self._follow else NDJSON}
        if self.cursor:
            headers["Last-Event-ID"] = self.cursor
        query: Query = {**self._filter.query(resumed=bool(self.cursor)), "follow": True if self._follow else None}
        async with self._transport.open("GET", self._path, query, headers, idle_timeout=IDLE_TIMEOUT) as response:
            if response.status != 200:
                body = await response.content.read(1024 * 1024)
                raise to_error(
                    response.status,
                    body,
                    f"GET {self._path}",
                    missing=RunNotFound,
                    request_id=response.headers.get(REQUEST_ID, ""),
                )
            if response.content_type != headers["Accept"]:
                raise not_waterflow(f"answers {self._path} with {response.content_type} instead of {headers['Accept']}")
            reader = EventReader(self._place) if self._follow else LineReader(self._place)
            async for chunk in response.content.iter_any():
                yield reader.feed(chunk)
                if self.end is not None:
                    return
            reader.finish()
