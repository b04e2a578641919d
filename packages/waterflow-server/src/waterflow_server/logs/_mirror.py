"""A run's journal in S3, cut into objects, and its mirror on the local disk, from which it is read.

An object holds one chunk and is named ``<run>/<position>``: the length of the journal before it, in bytes, as fifteen
digits. It is only ever *made* (``If-None-Match: *``), so of several servers that add at the same place one succeeds;
the others take in what it wrote and add behind it. So all servers have the same journal, with the same cursors.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waterflow_sdk.wire import StreamName

from ._bucket import Bucket, Object
from ._cursor import Cursor
from ._journal import ChunkHeader, encode_chunk, open_locked
from ._journal_file import JournalFile, Lines
from ._query import LogQuery
from ._store import InvalidCursor, OffsetMismatch, StoreUnavailable

_FRESH = 0.2  # seconds for which a look into the bucket is good enough for those who wait
_FORGOTTEN = 5.0  # and for which the journal is taken to be there still
_TRIES = 50


def segment(run: str, position: int) -> str:
    """The name of the object of the chunk at ``position``."""
    return f"{run}/{position:015d}"


class MirroredJournal(JournalFile):
    """The journal of one run. Raises OSError of the mirror and StoreUnavailable of the bucket."""

    def __init__(self, path: Path, run: str, bucket: Bucket) -> None:
        super().__init__(path, run)
        self._bucket = bucket
        self._pulling = threading.Lock()
        self._looked = float("-inf")
        self._existed = float("-inf")

    @property
    def changed(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._looked >= _FRESH

    def catch_up(self) -> None:
        """Take in what others have written."""
        self._pull(_FRESH)
        super().catch_up()

    def append(self, stream: StreamName, offset: int, data: bytes, agent: str) -> int:
        """See :meth:`JournalFile.append`."""
        name = f"{stream.job}/{stream.step}.{stream.attempt}"
        self._pull(_FORGOTTEN)
        for _ in range(_TRIES):
            known = self.index.size(name)
            if offset > known or known == 0:
                self._pull(0.0)
                known = self.index.size(name)
            if offset > known:
                raise OffsetMismatch(stream, offset, known)
            new = data[known - offset :]
            if not new:
                return known
            header = ChunkHeader(stream=name, offset=known, size=len(new), agent=agent, received=datetime.now(UTC))
            if self._add(encode_chunk(header, new)):
                return known + len(new)
            self._pull(0.0)
        raise StoreUnavailable(f"other servers were faster {_TRIES} times in adding to the log of {self._run}")

    def read(self, after: Cursor | None, query: LogQuery) -> Lines:
        """See :meth:`JournalFile.read`. The end is only the end when the bucket has no more."""
        if self.index.end:
            with suppress(InvalidCursor):  # another server gave it out, for what is not here yet
                lines, cursor = super().read(after, query)
                if cursor != after:
                    return lines, cursor
        self._pull(0.0)
        return super().read(after, query)

    def tail(self, count: int, query: LogQuery) -> Lines:
        """See :meth:`JournalFile.tail`."""
        self._pull(0.0)
        return super().tail(count, query)

    def remove(self, unused_for: timedelta) -> bool:
        """Remove the objects, the first one last, so that an interrupted removal is done again."""
        objects = list(self._bucket.list(f"{self._run}/"))
        limit = datetime.now(UTC) - unused_for
        if not objects or max(each.modified for each in objects) > limit:
            return False
        for each in reversed(objects):
            self._bucket.delete(each.key)
        self.drop()
        return True

    def drop(self) -> None:
        """Remove the mirror; it is made again when it is needed."""
        self._path.unlink(missing_ok=True)
        self._looked = self._existed = float("-inf")

    def _add(self, chunk: bytes) -> bool:
        """Whether the chunk is now where the journal ended for us."""
        with self._pulling:
            super().catch_up()
            position = self.index.end
            if not self._bucket.put_new(segment(self._run, position), chunk):
                return False
            self._mirror(position, [chunk])
            return True

    def _pull(self, fresh: float) -> None:
        with self._pulling:
            now = time.monotonic()
            if now - self._looked < fresh:
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if now - self._existed >= _FORGOTTEN:
                self._drop_if_forgotten()
                self._existed = now
            super().catch_up()  # the mirror may have been removed meanwhile
            end = self.index.end
            after = segment(self._run, end - 1) if end else ""
            self._mirror(end, self._bytes_of(end, list(self._bucket.list(f"{self._run}/", after))))
            self._looked = now

    def _bytes_of(self, end: int, objects: list[Object]) -> list[bytes]:
        """What follows one another without a gap; what does not was added after the journal had been removed."""
        found: list[bytes] = []
        for each in objects:
            if each.key == segment(self._run, end) and (data := self._bucket.get(each.key)) is not None:
                found.append(data)
                end += len(data)
        return found

    def _mirror(self, position: int, chunks: list[bytes]) -> None:
        if not chunks and not self._path.exists():
            super().catch_up()
            return
        with open_locked(self._path) as descriptor:
            os.ftruncate(descriptor, position)
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
            self.index.catch_up(descriptor)

    def _drop_if_forgotten(self) -> None:
        chunks = self.index.chunks()
        if chunks and self._bucket.size(segment(self._run, 0)) != chunks[0].end:
            self._path.unlink(missing_ok=True)
            super().catch_up()
