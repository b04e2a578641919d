"""What is known of a journal without reading its lines: chunks and stream lengths, kept up to date by tailing."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left

from ._cursor import Cursor
from ._journal import Chunk, scan
from ._store import InvalidCursor

_MOST_CHUNKS = 1024


class JournalIndex:
    """Index of one journal. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunks: list[Chunk] = []
        self._sizes: dict[str, int] = {}
        self._head = b""
        self.end = 0
        """Where the last complete chunk ends, in bytes."""
        self.seen = 0
        """Size of the file when it was last looked at; more than ``end`` where a torn chunk follows."""

    def catch_up(self, descriptor: int) -> None:
        """Take in the chunks that came since the last call. Raises JournalDamaged."""
        with self._lock:
            self.seen = os.fstat(descriptor).st_size
            if self.seen < self.end or os.pread(descriptor, len(self._head), 0) != self._head:
                self._chunks, self._sizes, self.end = [], {}, 0  # it was taken away, and perhaps begun again
            for chunk in scan(descriptor, self.end, self.seen):
                self._add(chunk)
            # Its first header tells a journal from one begun anew, for it holds the time: inodes are soon used again.
            self._head = os.pread(descriptor, self._chunks[0].data, 0) if self._chunks else b""

    def size(self, stream: str) -> int:
        """Length of a stream in bytes."""
        with self._lock:
            return self._sizes.get(stream, 0)

    def sizes(self) -> dict[str, int]:
        """Length of each stream in bytes."""
        with self._lock:
            return dict(self._sizes)

    def chunks(self) -> list[Chunk]:
        """All chunks, in order of arrival."""
        with self._lock:
            return list(self._chunks)

    def chunks_from(self, cursor: Cursor | None, most_bytes: int) -> list[Chunk]:
        """The chunks that hold lines after the cursor, at least one where there is one, up to about ``most_bytes``.

        Raises InvalidCursor when no chunk begins at the cursor's position.
        """
        with self._lock:
            first = self._position(cursor) + (cursor is not None and cursor.whole)
            taken: list[Chunk] = []
            total = 0
            for chunk in self._chunks[first : first + _MOST_CHUNKS]:
                taken.append(chunk)
                total += chunk.header.size
                if total >= most_bytes:
                    break
            return taken

    def end_of(self, cursor: Cursor | None) -> int:
        """Where the chunk of the cursor ends, in bytes; 0 for the beginning. Raises InvalidCursor."""
        with self._lock:
            return 0 if cursor is None else self._chunks[self._position(cursor)].end

    def _position(self, cursor: Cursor | None) -> int:
        if cursor is None:
            return 0
        found = bisect_left(self._chunks, cursor.position, key=lambda chunk: chunk.position)
        if found == len(self._chunks) or self._chunks[found].position != cursor.position:
            raise InvalidCursor(f"cursor {str(cursor)!r} was not given out for this run; leave it out to start again")
        return found

    def _add(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        stream = chunk.header.stream
        self._sizes[stream] = max(self._sizes.get(stream, 0), chunk.header.offset + chunk.header.size)
        self.end = chunk.end
