"""A run's journal in S3, cut into objects, and its mirror on the local disk, from which it is read.

An object holds one chunk and is named after its position, the length of the journal before it. It is only ever *made*
(``If-None-Match: *``), so of several servers that add at the same place one succeeds; the others take in what it wrote
and add behind it. So all servers have the same journal, with the same cursors. After an hour chunks are merged into
larger objects (:mod:`._merging`).
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waterflow_sdk.wire import StreamName

from ._bucket import Bucket
from ._cursor import Cursor
from ._journal import ChunkHeader, encode_chunk, open_locked
from ._journal_file import JournalFile, Lines
from ._merging import read_all
from ._query import LogQuery
from ._segments import Segment, chunk_name, path, segments, windows
from ._store import InvalidCursor, OffsetMismatch, StoreUnavailable

_FRESH = 0.2  # seconds for which a look into the bucket is good enough for those who wait
_FORGOTTEN = 5.0  # and for which the journal is taken to be there still
_RECENT = 600.0  # whoever looked within that time has what may have been merged since, and asks for what is new alone
_TRIES = 50


class _Look:
    """When it was looked last. Seconds of the wall clock count too: the other one may stand while a host is asleep."""

    def __init__(self) -> None:
        self._times = (float("-inf"), float("-inf"))

    @property
    def age(self) -> float:
        return max(time.monotonic() - self._times[0], time.time() - self._times[1])

    def note(self) -> None:
        self._times = (time.monotonic(), time.time())

    def forget(self) -> None:
        self._times = (float("-inf"), float("-inf"))


class MirroredJournal(JournalFile):
    """The journal of one run. Raises OSError of the mirror and StoreUnavailable of the bucket."""

    def __init__(self, path: Path, run: str, bucket: Bucket) -> None:
        super().__init__(path, run)
        self._bucket = bucket
        self._pulling = threading.Lock()
        self._looked = _Look()
        self._existed = _Look()
        self._first = ("", 0)
        """Name and size of the object that the journal begins with."""

    @property
    def changed(self) -> bool:
        """Whether it is time to look again."""
        return self._looked.age >= _FRESH

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
        for _ in range(_TRIES):  # another server may just have merged some
            for each in reversed(objects):
                self._bucket.delete(each.key)
            if not (objects := list(self._bucket.list(f"{self._run}/"))):
                break
        self.drop()
        return True

    def drop(self) -> None:
        """Remove the mirror; it is made again when it is needed."""
        self._path.unlink(missing_ok=True)
        self._looked.forget()
        self._existed.forget()

    def _add(self, chunk: bytes) -> bool:
        """Whether the chunk is now where the journal ended for us."""
        with self._pulling:
            super().catch_up()
            position = self.index.end
            name = chunk_name(self._run, position)
            # Where it was looked long ago there may have been a chunk of that name, merged since.
            if self._looked.age >= _RECENT or not self._bucket.put_new(name, chunk):
                return False
            self._mirror(position, [chunk])
            if position == 0:
                self._first = (name, len(chunk))
            return True

    def _pull(self, fresh: float) -> None:
        with self._pulling:
            if self._looked.age < fresh:
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._existed.age >= _FORGOTTEN:
                self._drop_if_forgotten()
                self._existed.note()
            super().catch_up()  # the mirror may have been removed meanwhile
            looking = _Look()
            looking.note()  # what comes while we look may not be in the list
            self._take_in(recent=self._looked.age < _RECENT)
            self._looked = looking

    def _take_in(self, *, recent: bool) -> None:
        """Mirror what the bucket has beyond the end. What lies behind a gap was added after the journal was removed."""
        for _ in range(_TRIES):
            end = self.index.end
            found = self._segments(chunk_name(self._run, end - 1) if end and recent else "")
            if self._take(end, path(found, end)):
                return
            recent = False  # what was listed has been merged, or removed
        raise StoreUnavailable(f"the objects of the log of {self._run} vanished {_TRIES} times while they were read")

    def _take(self, end: int, found: list[Segment]) -> bool:
        """Mirror these objects; False where one is gone."""
        if not found:
            self._mirror(end, [])
        for window in windows(found):
            parts = read_all(self._bucket, [each.object.key for each in window])
            if parts is None:
                return False
            if end == 0:
                self._first = (window[0].object.key, window[0].object.size)
            for segment, data in zip(window, parts, strict=True):
                self._mirror(end, [data[end - segment.start :]])
                end = segment.end
        return True

    def _segments(self, after: str = "") -> list[Segment]:
        return segments(self._bucket.list(f"{self._run}/", after))

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
        if self.index.chunks() and not self._is_there():
            self._path.unlink(missing_ok=True)
            self._looked.forget()
            super().catch_up()

    def _is_there(self) -> bool:
        """Whether the bucket has this journal still. Its first object may have become part of a larger one."""
        name, size = self._first
        if name and self._bucket.size(name) == size:
            return True
        first = path(self._segments(), 0)[:1]
        data = self._bucket.get(first[0].object.key) if first else None
        chunks = self.index.chunks()
        with self._reading() as descriptor:
            begins = os.pread(descriptor, chunks[0].end, 0) if chunks else b""
        if data is None or not begins or not data.startswith(begins):
            return False
        self._first = (first[0].object.key, first[0].object.size)
        return True
