"""A stream of the server that is taken up again where it broke: what logs and events of a run have in common."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

from ._errors import RunNotFound, ServerUnavailable, TooManyRequests
from ._problems import not_waterflow, to_error
from ._transport import LONGEST_PAUSE, REQUEST_ID, Query, Transport, pauses

if TYPE_CHECKING:
    from aiohttp import ClientResponse

IDLE_TIMEOUT = 60.0
"""Seconds without a byte (the server sends a comment well within them) after which a connection counts as dead."""

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"

T = TypeVar("T")


class Reader(Protocol[T]):
    """Reads the bytes of one connection."""

    def feed(self, chunk: bytes) -> list[T]:
        """The items that the next bytes complete, maybe none."""
        ...

    def finish(self) -> None:
        """The connection was closed. Raises :class:`ServerUnavailable` where that is not the end."""
        ...


class Resuming(Generic[T]):
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
        self._batches = self._all()
        self._ready: list[T] = []

    @property
    def cursor(self) -> str:
        """Where the stream is, as the server named it; ``""`` at the beginning."""
        raise NotImplementedError

    @property
    def ended(self) -> bool:
        """Whether the server has said that nothing more comes."""
        raise NotImplementedError

    def _query(self) -> Query:
        """Parameters of the next request."""
        raise NotImplementedError

    def _reader(self) -> Reader[T]:
        """A reader for a new connection."""
        raise NotImplementedError

    def _least_pause(self) -> float:
        """Seconds that the server wants between two connections."""
        return 0.0

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
            await asyncio.sleep(max(next(waits), self._least_pause()))

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
