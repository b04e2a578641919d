"""The log store on files: one journal a run in a directory that several servers may share."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from waterflow_sdk.wire import StreamName

from ._cursor import Cursor
from ._journal import MAX_HEADER_BYTES
from ._journal_file import JournalFile
from ._lines import check_lines
from ._query import ALL, LogQuery
from ._store import MAX_CHUNK_BYTES, InvalidChunk, InvalidRunId, LogBatch, StoreUnavailable

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_KEPT_JOURNALS = 512
_THREADS = 4
_RESTAT = 0.2  # how soon a follower sees what another server wrote, in seconds

T = TypeVar("T")


class FileLogStore:
    """A :class:`LogStore` in ``directory``, made when first written to. Files are ``<run id>.journal``.

    File work is done in threads of its own, so that a slow disk never holds up the event loop. Chunks are handed to the
    operating system, not forced to the disk: they survive the end of the server, and after a loss of power agents send
    again what is missing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._journals: OrderedDict[str, JournalFile] = OrderedDict()
        self._appending: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="log-store")

    async def append(self, stream: StreamName, offset: int, data: bytes, agent: str) -> int:
        """See :meth:`LogStore.append`."""
        journal = self._journal(stream.run)
        whole = _whole_lines(stream, offset, data, agent)
        # One thread at a time for a run: the others would only wait for the file's lock and keep the threads busy.
        lock = self._appending.setdefault(stream.run, asyncio.Lock())
        async with lock:
            size = await self._in_thread(lambda: journal.append(stream, offset, whole, agent))
        if not lock.locked():
            self._appending.pop(stream.run, None)
        for event in self._waiting.get(stream.run, ()):
            event.set()
        return size

    async def read(self, run: str, after: str | None = None, query: LogQuery = ALL) -> AsyncIterator[LogBatch]:
        """See :meth:`LogStore.read`."""
        journal = self._journal(run)
        cursor = _parse(after)
        while True:
            start = cursor
            lines, cursor = await self._in_thread(lambda: journal.read(start, query))  # noqa: B023 (awaited at once)
            if cursor is None or cursor == start:
                return
            yield LogBatch(lines=lines, cursor=str(cursor))

    async def tail(self, run: str, count: int, query: LogQuery = ALL) -> LogBatch:
        """See :meth:`LogStore.tail`."""
        journal = self._journal(run)
        lines, cursor = await self._in_thread(lambda: journal.tail(count, query))
        return LogBatch(lines=lines, cursor=str(cursor) if cursor else None)

    async def stream_sizes(self, run: str) -> dict[str, int]:
        """See :meth:`LogStore.stream_sizes`."""
        journal = self._journal(run)
        await self._in_thread(journal.catch_up)
        return {f"{run}/{stream}": size for stream, size in journal.index.sizes().items()}

    async def wait(self, run: str, after: str | None, patience: float) -> bool:
        """See :meth:`LogStore.wait`."""
        journal = self._journal(run)
        cursor = _parse(after)
        arrived = asyncio.Event()
        self._waiting.setdefault(run, set()).add(arrived)
        try:
            await self._in_thread(journal.catch_up)
            return await self._until_longer(journal, journal.index.end_of(cursor), arrived, patience)
        finally:
            self._forget(run, arrived)

    async def remove(self, run: str, *, unused_for: timedelta = timedelta(0)) -> bool:
        """Remove the log of a run; false where there is none, or one that was written to within ``unused_for``.

        Raises InvalidRunId, StoreUnavailable.
        """
        journal = self._journal(run)
        removed = await self._in_thread(lambda: journal.remove(unused_for))
        if removed:
            self._journals.pop(run, None)
        return removed

    async def unused_for(self, time: timedelta, most: int) -> list[str]:
        """Runs whose logs nobody has written to for so long, at most so many, the oldest first."""
        return await self._in_thread(lambda: self._unused(time, most))

    async def compact(self) -> int:
        """Make few large objects of many small ones, and say of how many; there are none here."""
        return 0

    def close(self) -> None:
        """End the threads; a write that is on its way is finished."""
        self._threads.shutdown()

    async def _until_longer(self, journal: JournalFile, end: int, arrived: asyncio.Event, patience: float) -> bool:
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        while journal.index.end <= end and (left := deadline - clock()) > 0:
            await _wait_for(arrived, min(left, _RESTAT))
            if journal.changed:
                await self._in_thread(journal.catch_up)
        return journal.index.end > end

    def _journal(self, run: str) -> JournalFile:
        if _RUN_ID.fullmatch(run) is None:
            raise InvalidRunId(f"{run[:140]!r} is not the id of a run: letters, digits, '.', '_' and '-', at most 128")
        journal = self._journals.get(run)
        if journal is None:
            journal = self._journals[run] = self._open(self._directory / f"{run}.journal", run)
        self._journals.move_to_end(run)
        if len(self._journals) > _KEPT_JOURNALS:
            _, unused = self._journals.popitem(last=False)
            self._let_go(unused)
        return journal

    def _open(self, path: Path, run: str) -> JournalFile:
        return JournalFile(path, run)

    def _let_go(self, journal: JournalFile) -> None:
        """What is to be done with a journal that nobody has asked for in a long time."""

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise StoreUnavailable(
                f"the log store {self._directory} cannot be used: {error.strerror or error}",
                {"directory": str(self._directory), "errno": error.errno},
            ) from error

    def _unused(self, time: timedelta, most: int) -> list[str]:
        found = ((path.stat().st_mtime, path.stem) for path in self._directory.glob("*.journal"))
        return oldest(found, time, most)

    def _forget(self, run: str, arrived: asyncio.Event) -> None:
        waiting = self._waiting[run]
        waiting.discard(arrived)
        if not waiting:
            del self._waiting[run]


def oldest(found: Iterable[tuple[float, str]], time: timedelta, most: int) -> list[str]:
    """Of times of the last writing and runs, those that are older than ``time``, at most so many."""
    limit = datetime.now(UTC).timestamp() - time.total_seconds()
    return [run for written, run in sorted(found) if written <= limit and _RUN_ID.fullmatch(run)][:most]


def _parse(cursor: str | None) -> Cursor | None:
    return Cursor.parse(cursor) if cursor is not None else None


def _whole_lines(stream: StreamName, offset: int, data: bytes, agent: str) -> bytes:
    if offset < 0:
        raise InvalidChunk(f"offset {offset} is negative; it is the number of bytes of the stream before the chunk")
    if len(data) > MAX_CHUNK_BYTES:
        raise InvalidChunk(f"the chunk has {len(data)} bytes; send at most {MAX_CHUNK_BYTES} at once")
    # Quoted as JSON, a character takes at most six bytes.
    if 6 * (len(str(stream)) + len(agent)) > MAX_HEADER_BYTES - 256:
        raise InvalidChunk("the names of stream and agent are too long together")
    whole = data[: data.rfind(b"\n") + 1]
    if data and not whole:
        raise InvalidChunk("the chunk holds no whole line; each line ends with a line feed")
    check_lines(whole)
    return whole


async def _wait_for(event: asyncio.Event, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await event.wait()
    except TimeoutError:
        return
    event.clear()
