"""One read for all who ask at the same time, such as hundreds of agents that come back after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Whoever asks while a read is under way shares the next one: what is answered was never read before it was asked
    for, and at most one read is under way.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._next: asyncio.Task[T] | None = None
        self._current: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Raises what the read raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._current))
        return await asyncio.shield(self._next)  # it is not ours alone

    async def _after(self, former: asyncio.Task[T] | None) -> T:
        if former is not None:
            await asyncio.wait([former])
        self._current, self._next = self._next, None
        return await self._read()
