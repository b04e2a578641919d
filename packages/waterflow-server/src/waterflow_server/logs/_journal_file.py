"""A journal with its index: what is done with the file, in whichever thread."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waterflow_sdk.wire import LogLine, StreamName

from ._cursor import Cursor
from ._index import JournalIndex
from ._journal import ChunkHeader, encode_chunk, open_locked
from ._lines import read_lines
from ._query import LogQuery
from ._store import OffsetMismatch

_BATCH_BYTES = 256 * 1024

Lines = tuple[list[LogLine], Cursor | None]


class JournalFile:
    """The journal of one run. A file that is not there is an empty journal; appending makes it. Raises OSError."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run
        self.index = JournalIndex()

    @property
    def changed(self) -> bool:
        """Whether the file is not as it was when the index last looked at it."""
        try:
            return self._path.stat().st_size != self.index.seen
        except FileNotFoundError:
            return self.index.seen != 0

    def catch_up(self) -> None:
        """Take in what others have written."""
        with self._reading():
            pass

    def append(self, stream: StreamName, offset: int, data: bytes, agent: str) -> int:
        """Add what is new of ``data`` and return the stream's length; raises OffsetMismatch."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open_locked(self._path) as descriptor:
            self.index.catch_up(descriptor)
            name = f"{stream.job}/{stream.step}.{stream.attempt}"
            known = self.index.size(name)
            if offset > known:
                raise OffsetMismatch(stream, offset, known)
            new = data[known - offset :]
            if new:
                header = ChunkHeader(stream=name, offset=known, size=len(new), agent=agent, received=datetime.now(UTC))
                self._write(descriptor, encode_chunk(header, new))
            return known + len(new)

    def remove(self, unused_for: timedelta) -> bool:
        """Remove the file; false where there is none, or where it was written to within that time."""
        if not self._path.exists():
            return False
        with open_locked(self._path) as descriptor:
            age = datetime.now(UTC).timestamp() - os.fstat(descriptor).st_mtime
            if age < unused_for.total_seconds():
                return False
            self._path.unlink()
        return True

    def drop(self) -> None:
        """Give back what is only a copy; a file that holds the lines themselves stays."""

    def read(self, after: Cursor | None, query: LogQuery) -> Lines:
        """Some lines after the cursor, and the cursor up to which they were read; the same cursor at the end."""
        with self._reading() as descriptor:
            chunks = self.index.chunks_from(after, _BATCH_BYTES)
            if not chunks:
                return [], after
            return read_lines(descriptor, self._run, chunks, after, query), Cursor.after_chunk(chunks[-1].position)

    def tail(self, count: int, query: LogQuery) -> Lines:
        """The last ``count`` lines that match, and the cursor of the end."""
        with self._reading() as descriptor:
            chunks = self.index.chunks()
            batches: list[list[LogLine]] = []
            missing = count
            for chunk in reversed(chunks):
                if missing <= 0:
                    break
                lines = read_lines(descriptor, self._run, [chunk], None, query)[-missing:]
                batches.append(lines)
                missing -= len(lines)
            cursor = Cursor.after_chunk(chunks[-1].position) if chunks else None
            return [line for batch in reversed(batches) for line in batch], cursor

    def _write(self, descriptor: int, chunk: bytes) -> None:
        end = self.index.end
        if self.index.seen > end:
            os.ftruncate(descriptor, end)
        try:
            if os.write(descriptor, chunk) < len(chunk):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(descriptor, end)
            raise
        self.index.catch_up(descriptor)

    @contextmanager
    def _reading(self) -> Generator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.index.catch_up(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)
