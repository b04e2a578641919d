"""A stream of the server that is taken up again where it broke: what logs and events of a run have in common."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

import msgspec

from ._errors import RunNotFound, ServerUnavailable, TooManyRequests
from ._portal import Portal
from ._problems import not_waterflow, to_error
from ._transport import LONGEST_PAUSE, REQUEST_ID, Query, Transport, pauses

if TYPE_CHECKING:
    from aiohttp import ClientResponse

IDLE_TIMEOUT = 60.0
"""Seconds without a byte (the server sends a comment well within them) after which a connection counts as dead."""

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"

T = TypeVar("T")
E = TypeVar("E")
"""What the server says at the end of a stream."""


class Place(msgspec.Struct, Generic[E]):
    """What outlives a connection.

    - `cursor`: how far the stream was read, as the server named it; empty at the beginning
    - `end`: how it ended, once it has
    - `retry`: seconds that the server wants between two connections
    """

    cursor: str = ""
    end: E | None = None
    retry: float = 0.0


class Reader(Protocol[T]):
    """Reads the bytes of one connection."""

    def feed(self, chunk: bytes) -> list[T]:
        """The items that the next bytes complete, maybe none."""
        ...

    def finish(self) -> None:
        """The connection was closed. Raises :class:`ServerUnavailable` where that is not the end."""
        ...


class Resuming(ABC, Generic[T, E]):
    """Async iterator over the items of a stream, over broken connections and restarts of the server.

    A connection that breaks is taken up again where it was, with growing pauses: without end, or until the server was
    out of reach for ``give_up_after`` seconds; then :class:`ServerUnavailable` is raised. Use it as ``async with`` or
    call :meth:`aclose` when you stop early.
    """

    def __init__(self, transport: Transport, path: str, *, media_type: str, give_up_after: float | None) -> None:
        self._transport = transport
        self._path = path
        self._media_type = media_type
        self._give_up_after = give_up_after
        self._place: Place[E] = Place()
        self._batches = self._all()
        self._ready: list[T] = []

    @property
    def cursor(self) -> str:
        """Where the stream is, as the server named it; ``""`` at the beginning."""
        return self._place.cursor

    @property
    def end(self) -> E | None:
        """How the run ended, once the stream is at its end."""
        return self._place.end

    @property
    def ended(self) -> bool:
        """Whether the server has said that nothing more comes."""
        return self._place.end is not None

    @abstractmethod
    def _query(self) -> Query:
        """Parameters of the next request."""

    @abstractmethod
    def _reader(self) -> Reader[T]:
        """A reader for a new connection."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            self._ready = (await anext(self._batches))[::-1]
        return self._ready.pop()

    async def next_batch(self) -> list[T]:
        """What has come since the last call, at least one item; empty at the end. Faster than one by one."""
        if self._ready:
            ready, self._ready = self._ready[::-1], []
            return ready
        nothing: list[T] = []
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

    async def _all(self) -> AsyncGenerator[list[T], None]:
        waits = pauses()
        contact = time.monotonic()
        while True:
            began = time.monotonic()
            known = self.cursor
            try:
                async with aclosing(self._connection()) as connection:
                    async for items in connection:
                        if items:
                            yield items
                        contact = time.monotonic()
                return
            except (ServerUnavailable, TooManyRequests) as error:
                if self._give_up_after is not None and time.monotonic() - contact >= self._give_up_after:
                    raise error
            if self.cursor != known or time.monotonic() - began > LONGEST_PAUSE:
                waits = pauses()
            await asyncio.sleep(max(next(waits), self._place.retry))

    async def _connection(self) -> AsyncGenerator[list[T], None]:
        """Batches (empty ones are signs of life) until the end; raises when the connection breaks before."""
        headers = {"Accept": self._media_type}
        if self.cursor:
            headers["Last-Event-ID"] = self.cursor
        query = self._query()
        async with self._transport.open("GET", self._path, query, headers, idle_timeout=IDLE_TIMEOUT) as response:
            await self._check(response, headers)
            reader = self._reader()
            async for chunk in response.content.iter_any():
                yield reader.feed(chunk)
                if self.ended:
                    return
            reader.finish()

    async def _check(self, response: ClientResponse, headers: Mapping[str, str]) -> None:
        if response.status != 200:
            body = await response.content.read(1024 * 1024)
            request_id = response.headers.get(REQUEST_ID, "")
            what = f"GET {self._path}"
            raise to_error(response.status, body, what, missing=RunNotFound, request_id=request_id)
        if response.content_type != headers["Accept"]:
            raise not_waterflow(f"answers {self._path} with {response.content_type} instead of {headers['Accept']}")


class SyncResuming(Generic[T, E]):
    """The same for code without asyncio. Use it as ``with`` or call :meth:`close` when you stop early."""

    def __init__(self, portal: Portal, stream: Resuming[T, E]) -> None:
        self._portal = portal
        self._stream = stream
        self._items = self._all()

    @property
    def end(self) -> E | None:
        """How the run ended, once the stream is at its end."""
        return self._stream.end

    def __iter__(self) -> Iterator[T]:
        return self._items

    def __next__(self) -> T:
        return next(self._items)

    def _all(self) -> Iterator[T]:
        while batch := self._portal.call(self._stream.next_batch()):
            yield from batch

    def close(self) -> None:
        """Let go of the connection."""
        self._portal.call(self._stream.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
