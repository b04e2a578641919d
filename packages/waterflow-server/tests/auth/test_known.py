"""What a process knows of the keys while they change, and while Temporal is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from temporalio.service import RPCError, RPCStatusCode

from waterflow_server.auth import KeyTable, KnownKeys

from .keys import NOW, stored, table


class Source:
    """Reads what a test gives, again and again the last of it."""

    def __init__(self, *answers: Callable[[], Awaitable[KeyTable]]) -> None:
        self._left = list(answers)
        self.all_read = asyncio.Event()

    async def read(self) -> KeyTable:
        if len(self._left) == 1:
            self.all_read.set()
            return await self._left[0]()
        return await self._left.pop(0)()


async def away() -> KeyTable:
    raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


class TestTake:
    def test_nothing_is_known_before(self) -> None:
        keys = KnownKeys()
        assert not keys.read
        assert keys.find("0123456789ab") is None

    def test_all_of_it_at_once(self) -> None:
        (_, one), (_, other) = stored("ann", "read"), stored("bob", "read")
        keys = KnownKeys()
        keys.take(table(one))
        keys.take(table(other))
        assert keys.find(one.id) is None
        found = keys.find(other.id)
        assert found is not None
        assert found.caller.name == "bob"


class TestAnyAdmin:
    @pytest.mark.parametrize(
        ("scope", "more", "expected"), [("admin", {}, True), ("run", {}, False), ("admin", {"revoked": NOW}, False)]
    )
    def test_only_one_that_lives(self, scope: str, more: dict[str, object], expected: bool) -> None:
        keys = KnownKeys()
        keys.take(table(stored("ann", scope, **more)[1]))
        assert keys.any_admin(NOW) is expected


class TestRefresh:
    async def test_what_was_read_before_a_change_of_ones_own_does_not_undo_it(self) -> None:
        _, kept = stored("ann", "read")
        keys, reading, changed = KnownKeys(), asyncio.Event(), asyncio.Event()

        async def slow() -> KeyTable:
            reading.set()
            await changed.wait()
            return table(kept)

        refresh = asyncio.create_task(keys.refresh(Source(slow)))
        await reading.wait()
        keys.take(table(kept).revoking("ann", NOW))
        changed.set()
        await refresh
        found = keys.find(kept.id)
        assert found is not None
        assert not found.key.lives(NOW)

    async def test_goes_on_after_an_outage_and_says_it_once(self, caplog: pytest.LogCaptureFixture) -> None:
        _, kept = stored("ann", "read")

        async def back() -> KeyTable:
            return table(kept)

        keys, source = KnownKeys(), Source(away, away, back)
        task = asyncio.create_task(keys.keep_fresh(source, lambda: 0.0))
        await source.all_read.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert len(caplog.records) == 1
        assert "the API keys cannot be read, those that are known go on to count" in caplog.text
