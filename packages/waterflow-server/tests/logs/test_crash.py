"""What crashes, full disks and several servers do to a journal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from waterflow_sdk.wire import StreamName
from waterflow_server.logs import FileLogStore, JournalDamaged, StoreUnavailable

from .conftest import Records


def journal(store: FileLogStore) -> Path:
    return store._directory / "r1.journal"  # pyright: ignore[reportPrivateUsage]


class TestTornChunk:
    @pytest.fixture
    async def whole(self, store: FileLogStore, records: Records) -> tuple[int, bytes]:
        """A journal of two chunks; where the second begins, and all bytes."""
        await store.append(records.stream, 0, records.lines("one"), "web-01")
        first = journal(store).stat().st_size
        await store.append(records.stream, len(records.lines("one")), records.lines("two"), "web-01")
        return first, journal(store).read_bytes()

    async def test_cut_anywhere_it_is_not_seen_and_written_again_by_the_next(
        self, store: FileLogStore, records: Records, whole: tuple[int, bytes]
    ) -> None:
        first, data = whole
        for size in range(first, len(data)):
            journal(store).write_bytes(data[:size])
            after = FileLogStore(store._directory)  # pyright: ignore[reportPrivateUsage]
            assert await records.texts(after) == ["one"]
            held = len(records.lines("one"))
            assert await after.stream_sizes("r1") == {str(records.stream): held}
            await after.append(records.stream, held, records.lines("two"), "web-01")
            assert await records.texts(after) == ["one", "two"]
            after.close()

    async def test_a_follower_waits_on_over_it(
        self, store: FileLogStore, records: Records, whole: tuple[int, bytes]
    ) -> None:
        first, data = whole
        journal(store).write_bytes(data[: first + 10])
        after = FileLogStore(store._directory)  # pyright: ignore[reportPrivateUsage]
        end = (await after.tail("r1", 0)).cursor
        assert not await after.wait("r1", end, 0.3)
        journal(store).write_bytes(data)
        assert await after.wait("r1", end, 10)
        assert await records.texts(after, end) == ["two"]
        after.close()


class TestDamage:
    async def test_a_header_that_nobody_wrote_is_said_and_nothing_is_cut(
        self, store: FileLogStore, records: Records
    ) -> None:
        store._directory.mkdir()  # pyright: ignore[reportPrivateUsage]
        journal(store).write_bytes(b"garbage\n" + b"x" * 100)
        with pytest.raises(JournalDamaged) as caught:
            await store.append(records.stream, 0, records.lines("one"), "web-01")
        assert caught.value.message.startswith("the log journal is damaged at byte 0 (")
        assert caught.value.message.endswith("); move the file away to go on with an empty log")
        assert journal(store).stat().st_size == 108

    async def test_a_damaged_line_is_shown_in_its_place(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("one", "two"), "web-01")
        data = bytearray(journal(store).read_bytes())
        data[-3] = 0
        journal(store).write_bytes(data)
        size = len(records.lines("two")) - 1
        assert await records.texts(store) == [
            "one",
            f"a line of {size} bytes cannot be read: the log journal is damaged here",
        ]

    async def test_a_journal_that_was_taken_away_begins_again(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("one"), "web-01")
        journal(store).unlink()
        assert await records.texts(store) == []
        await store.append(records.stream, 0, records.lines("two"), "web-01")
        assert await records.texts(store) == ["two"]


_FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from waterflow_sdk.wire import StreamName
from waterflow_server.logs import FileLogStore, StoreUnavailable
line = b'{"time":"2026-11-21T10:00:00Z","stream":"stdout","text":"x"}\\n'
stream = StreamName.parse("r1/j/s.1")
async def main():
    store = FileLogStore(Path(sys.argv[1]))
    length = await store.append(stream, 0, line, "a")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        await store.append(stream, length, line * 100, "a")
    except StoreUnavailable as error:
        sys.stdout.write(error.message)
    store.close()
asyncio.run(main())
"""


class TestFullDisk:
    async def test_a_write_that_does_not_fit_is_undone_and_said(self, store: FileLogStore, records: Records) -> None:
        directory = store._directory  # pyright: ignore[reportPrivateUsage]
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FULL_DISK, str(directory), stdout=subprocess.PIPE
        )
        out, _ = await done.communicate()
        assert out.decode() == f"the log store {directory} cannot be used: No space left on device"
        assert await records.texts(store) == ["x"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    async def test_a_directory_that_cannot_be_written_is_said(self, tmp_path: Path, records: Records) -> None:
        os.chmod(tmp_path, 0o500)
        store = FileLogStore(tmp_path / "logs")
        with pytest.raises(StoreUnavailable, match="cannot be used: Permission denied"):
            await store.append(records.stream, 0, records.lines("one"), "web-01")
        store.close()


_WRITER = """
import asyncio, sys
from pathlib import Path
from waterflow_sdk.wire import StreamName
from waterflow_server.logs import FileLogStore
async def main(directory, name):
    store = FileLogStore(Path(directory))
    stream = StreamName.parse(f"r1/{name}/s.1")
    length = 0
    for number in range(200):
        line = b'{"time":"2026-11-21T10:00:00Z","stream":"stdout","text":"%d"}\\n' % number
        length = await store.append(stream, length, line, name)
    store.close()
asyncio.run(main(*sys.argv[1:]))
"""


class TestSeveralServers:
    async def test_two_processes_on_one_journal_lose_nothing_and_keep_each_streams_order(
        self, store: FileLogStore
    ) -> None:
        directory = str(store._directory)  # pyright: ignore[reportPrivateUsage]
        writers = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, directory, name) for name in ("a", "b")
        ]
        cursor, seen = None, []
        while len(seen) < 400:
            assert await store.wait("r1", cursor, 30)
            async for batch in store.read("r1", cursor):
                cursor = batch.cursor
                seen += batch.lines
        assert [await writer.wait() for writer in writers] == [0, 0]
        for name in ("a", "b"):
            assert [line.text for line in seen if line.job == name] == [str(number) for number in range(200)]

    async def test_both_sending_the_same_stream_keep_it_once(self, store: FileLogStore, records: Records) -> None:
        other = FileLogStore(store._directory)  # pyright: ignore[reportPrivateUsage]
        stream = StreamName.parse("r1/j/s.1")
        chunk = records.lines("one", "two")
        await asyncio.gather(*(each.append(stream, 0, chunk, "a") for each in (store, other) * 5))
        assert await records.texts(store) == ["one", "two"]
        other.close()
