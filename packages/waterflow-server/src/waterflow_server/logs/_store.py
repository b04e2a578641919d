"""What a log store is: the interface that the API and the agents' ingest work against, and its errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from waterflow_sdk.wire import LogLine, StreamName

from .._errors import ServerError
from ._query import ALL, LogQuery

MAX_CHUNK_BYTES = 4 * 1024 * 1024
"""The most that one append takes."""


class LogStoreError(ServerError):
    """Base of the errors of a log store."""

    code = "log-store"


class OffsetMismatch(LogStoreError):
    """A chunk would leave a gap: the store has only ``expected`` bytes of the stream, continue from there."""

    code = "log-offset"

    def __init__(self, stream: StreamName, offset: int, expected: int) -> None:
        super().__init__(
            f"log stream {str(stream)!r} holds {expected} bytes, so a chunk at offset {offset} would leave a gap; "
            f"send again from offset {expected}",
            {"expected": expected},
        )
        self.expected = expected


class InvalidChunk(LogStoreError):
    """What was sent is not a chunk of a log stream; nothing of it was kept."""

    code = "log-chunk"


class InvalidCursor(LogStoreError):
    """The cursor was not given out for this run."""

    code = "log-cursor"


class InvalidRunId(LogStoreError):
    """The text cannot be the id of a run."""

    code = "run-id"


class StoreUnavailable(LogStoreError):
    """The place where logs are kept cannot be written or read now, such as a full disk."""

    code = "log-store-unavailable"


class JournalDamaged(LogStoreError):
    """A journal has something in its middle that no writer wrote; it has to be looked at by a person."""

    code = "log-journal-damaged"


class LogBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines in order, and the cursor up to which the log was read; no line may have matched the query."""

    lines: list[LogLine]
    cursor: str | None


class LogStore(Protocol):
    """Keeps the log streams of runs. The order within a stream is kept; lines of a run come in order of arrival."""

    async def append(self, stream: StreamName, offset: int, data: bytes, agent: str) -> int:
        """Add whole lines of NDJSON that begin at ``offset`` bytes of the stream; returns its new length in bytes.

        What is already there is not added again, an unfinished last line is left for the next chunk. Raises
        OffsetMismatch, InvalidChunk, InvalidRunId, StoreUnavailable, JournalDamaged.
        """
        ...

    def read(self, run: str, after: str | None = None, query: LogQuery = ALL) -> AsyncIterator[LogBatch]:
        """The lines after a cursor (None: from the beginning) up to the present end.

        Raises InvalidCursor, InvalidRunId, StoreUnavailable, JournalDamaged.
        """
        ...

    async def tail(self, run: str, count: int, query: LogQuery = ALL) -> LogBatch:
        """The last ``count`` lines that match, and the cursor of the present end. Raises as ``read``."""
        ...

    async def stream_sizes(self, run: str) -> dict[str, int]:
        """Length in bytes of each stream of the run, by its full name. Raises as ``read``."""
        ...

    async def remove(self, run: str) -> bool:
        """Remove the log of a run; false where there is none. Raises InvalidRunId, StoreUnavailable."""
        ...

    async def wait(self, run: str, after: str | None, patience: float) -> bool:
        """Wait until there is a chunk after the cursor's; False after ``patience`` seconds. Raises as ``read``."""
        ...
