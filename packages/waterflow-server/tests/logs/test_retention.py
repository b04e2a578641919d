"""Old logs go when Temporal has forgotten their runs; logs of a run that it knows never do."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from waterflow_sdk.wire import StreamName
from waterflow_server.logs import FileLogStore, keep_sweeping, sweep

from .conftest import Records

MONTH = timedelta(days=30)


@pytest.fixture
async def journals(store: FileLogStore, records: Records, tmp_path: Path) -> FileLogStore:
    """Logs of ``old``, ``older`` and ``new``."""
    for run, days in (("old", 31), ("older", 40), ("new", 29)):
        await store.append(StreamName.parse(f"{run}/a/s.1"), 0, records.lines("x"), "web-01")
        path = tmp_path / "logs" / f"{run}.journal"
        age = path.stat().st_mtime - days * 86_400
        os.utime(path, (age, age))
    return store


async def nobody(run: str) -> bool:
    del run
    return False


class TestSweep:
    async def test_what_is_old_and_forgotten_goes(self, journals: FileLogStore, tmp_path: Path) -> None:
        assert await sweep(journals, nobody, MONTH) == ["older", "old"]
        assert [path.name for path in (tmp_path / "logs").iterdir()] == ["new.journal"]

    async def test_a_run_that_temporal_knows_keeps_its_log(self, journals: FileLogStore) -> None:
        async def knows(run: str) -> bool:
            return run == "older"

        assert await sweep(journals, knows, MONTH) == ["old"]

    async def test_one_sweep_looks_at_so_many(self, journals: FileLogStore) -> None:
        assert await sweep(journals, nobody, MONTH, most=1) == ["older"]

    async def test_while_temporal_is_away_nothing_goes(self, journals: FileLogStore, tmp_path: Path) -> None:
        async def away(run: str) -> None:
            del run

        assert await sweep(journals, away, MONTH) == []
        assert len(list((tmp_path / "logs").iterdir())) == 3

    async def test_a_log_that_is_written_to_in_between_stays(self, journals: FileLogStore, records: Records) -> None:
        async def writes(run: str) -> bool:
            data = records.lines("x", "y")
            await journals.append(StreamName.parse(f"{run}/a/s.1"), 0, data, "web-01")
            return False

        assert await sweep(journals, writes, MONTH) == []

    async def test_other_files_are_left_alone(self, journals: FileLogStore, tmp_path: Path) -> None:
        other = tmp_path / "logs" / ".hidden.journal"
        other.touch()
        os.utime(other, (0, 0))
        assert await sweep(journals, nobody, MONTH) == ["older", "old"]
        assert other.exists()

    async def test_a_directory_that_is_not_there_yet(self, tmp_path: Path) -> None:
        store = FileLogStore(tmp_path / "none")
        assert await sweep(store, nobody, MONTH) == []
        store.close()


class TestKeepSweeping:
    async def test_what_stays_is_made_smaller_each_time(self, tmp_path: Path) -> None:
        class Counting(FileLogStore):
            """Counts how often it was asked."""

            times = asyncio.Semaphore(0)

            async def compact(self) -> int:
                self.times.release()
                return 3

        store = Counting(tmp_path / "logs")
        task = asyncio.create_task(keep_sweeping(store, nobody, MONTH, every=0.01))
        for _ in range(2):
            await asyncio.wait_for(store.times.acquire(), 60)
        task.cancel()
        store.close()


class TestRemove:
    async def test_it_is_empty_then_and_can_begin_again(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("a", "b"), "web-01")
        assert await store.remove("r1")
        assert not await store.remove("r1")
        assert await records.texts(store) == []
        await store.append(records.stream, 0, records.lines("c", "d", "e", "f"), "web-01")
        assert await records.texts(store) == ["c", "d", "e", "f"]

    async def test_another_server_sees_that_it_began_again(
        self, store: FileLogStore, records: Records, tmp_path: Path
    ) -> None:
        other = FileLogStore(tmp_path / "logs")
        await store.append(records.stream, 0, records.lines("a"), "web-01")
        assert await records.texts(other) == ["a"]
        await store.remove("r1")
        await store.append(records.stream, 0, records.lines("longer than before", "c"), "web-01")
        assert await records.texts(other) == ["longer than before", "c"]
        other.close()

    async def test_writers_at_the_same_time_lose_nothing_of_what_they_were_told_is_there(
        self, store: FileLogStore, records: Records, tmp_path: Path
    ) -> None:
        other = FileLogStore(tmp_path / "logs")
        length = 0
        for number in range(30):
            _, length = await asyncio.gather(
                other.remove("r1"), store.append(records.stream, 0, records.lines(f"line {number}"), "web-01")
            )
        assert length == len(records.lines("line 29"))
        assert await records.texts(store) in ([], ["line 29"])
        other.close()
