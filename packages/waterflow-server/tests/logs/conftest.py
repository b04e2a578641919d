"""Log stores on real files, and records to put in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from waterflow_sdk.wire import LogRecord, LogStreamKind, StreamName
from waterflow_server.logs import FileLogStore, LogQuery

TIME = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Records:
    """Makes lines of NDJSON and reads texts back."""

    stream = StreamName.parse("r1/deploy[web-01]/steps[0].1")

    def lines(self, *texts: str, stream: LogStreamKind = LogStreamKind.STDOUT, time: datetime = TIME) -> bytes:
        return b"".join(msgspec.json.encode(LogRecord(time=time, stream=stream, text=text)) + b"\n" for text in texts)

    async def texts(
        self, store: FileLogStore, after: str | None = None, query: LogQuery | None = None, run: str = "r1"
    ) -> list[str]:
        return [line.text async for batch in store.read(run, after, query or LogQuery()) for line in batch.lines]


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileLogStore]:
    store = FileLogStore(tmp_path / "logs")
    yield store
    store.close()
