"""Where the logs of runs are kept: streams in, by offset; lines out, by cursor, once each and in order."""

from ._bucket import BucketAddress
from ._file_store import FileLogStore
from ._follow import LATE_LOGS, Follower, RunReader
from ._kept import RunLog, kept_streams, needs_kept, own
from ._query import LogQuery, within
from ._retention import keep_sweeping, sweep
from ._s3_store import S3LogStore
from ._sigv4 import Credentials
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
    "BucketAddress",
    "Credentials",
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
    "RunLog",
    "RunReader",
    "S3LogStore",
    "StoreUnavailable",
    "keep_sweeping",
    "kept_streams",
    "needs_kept",
    "own",
    "sweep",
    "within",
]
