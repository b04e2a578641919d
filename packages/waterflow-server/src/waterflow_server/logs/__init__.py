"""Where the logs of runs are kept: streams in, by offset; lines out, by cursor, once each and in order."""

from ._file_store import FileLogStore
from ._follow import LATE_LOGS, Follower, RunReader
from ._query import LogQuery
from ._store import (
    MAX_CHUNK_BYTES,
    InvalidChunk,
    InvalidCursor,
    InvalidRunId,
    JournalDamaged,
    LogBatch,
    LogStore,
    LogStoreError,
    OffsetMismatch,
    StoreUnavailable,
)

__all__ = [
    "LATE_LOGS",
    "MAX_CHUNK_BYTES",
    "FileLogStore",
    "Follower",
    "InvalidChunk",
    "InvalidCursor",
    "InvalidRunId",
    "JournalDamaged",
    "LogBatch",
    "LogQuery",
    "LogStore",
    "LogStoreError",
    "OffsetMismatch",
    "RunReader",
    "StoreUnavailable",
]
