"""One read for all who ask at the same time, never older than the question."""

from __future__ import annotations

import asyncio

import pytest

from waterflow_server.groups._shared import Shared


class Source:
    """Answers how often it was read, as soon as it is let go."""

    def __init__(self) -> None:
        self.reads = 0
        self.wrong = False
        self.started = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        read = self.reads
        self.started.set()
        await self.let_go.wait()
        if self.wrong:
            raise RuntimeError(f"read {read} failed")
        return read


@pytest.fixture
async def source() -> Source:
    return Source()


class TestShared:
    async def test_who_asks_together_is_answered_by_one_read(self, source: Source) -> None:
        shared = Shared(source.read)
        source.let_go.set()
        assert await asyncio.gather(*(shared.get() for _ in range(100))) == [1] * 100

    async def test_who_asks_while_a_read_is_under_way_shares_the_next_one(self, source: Source) -> None:
        shared = Shared(source.read)
        first = asyncio.create_task(shared.get())
        await source.started.wait()
        late = [asyncio.create_task(shared.get()) for _ in range(100)]
        await asyncio.sleep(0)
        source.let_go.set()
        assert await first == 1
        assert await asyncio.gather(*late) == [2] * 100

    async def test_who_gives_up_takes_nothing_from_the_others(self, source: Source) -> None:
        shared = Shared(source.read)
        impatient, patient = (asyncio.create_task(shared.get()) for _ in range(2))
        await source.started.wait()
        impatient.cancel()
        source.let_go.set()
        assert await patient == 1

    async def test_a_failure_is_told_to_all_who_shared_it_and_not_kept(self, source: Source) -> None:
        shared = Shared(source.read)
        source.wrong = True
        source.let_go.set()
        ends = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
        assert list(map(str, ends)) == ["read 1 failed"] * 2
        source.wrong = False
        assert await shared.get() == 2
