"""The log of one attempt: records in the spool, capped, and honest about what is lost."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from waterflow_agent._logs import AttemptLog
from waterflow_agent._logs._spool import Spool
from waterflow_sdk.wire import LogEventKind, LogRecord, LogRef, LogStreamKind

STREAM = "r1/build/steps[0].1"


def records(spool: Spool) -> list[LogRecord]:
    """What is in the spool, read back."""
    lines = spool.path(STREAM).read_bytes().splitlines()
    return [msgspec.json.decode(line, type=LogRecord) for line in lines]


def line(text: str) -> LogRecord:
    return LogRecord(time=datetime.now(UTC), stream=LogStreamKind.STDOUT, text=text)


def make(spool: Spool, told: list[str], max_bytes: int = 1_000_000) -> AttemptLog:
    return AttemptLog(
        STREAM,
        spool.create(STREAM),
        lambda name: told.append(f"+{name}"),
        lambda name: told.append(f"={name}"),
        max_bytes,
    )


class TestAppend:
    def test_records_in_order_and_the_shipper_is_told(self, spool: Spool) -> None:
        told: list[str] = []
        log = make(spool, told)
        log.event(LogEventKind.STEP_STARTED, "", {"node": "shell"})
        log.append([line("one"), line("two")])
        ref = log.close()
        assert [record.text for record in records(spool)] == ["", "one", "two"]
        assert ref == LogRef(stream=STREAM, bytes=spool.path(STREAM).stat().st_size, lines=3)
        assert told == [f"+{STREAM}", f"+{STREAM}", f"={STREAM}"]


class TestSizeCap:
    def test_output_is_cut_once_and_events_are_kept(self, spool: Spool) -> None:
        log = make(spool, [], max_bytes=10)
        for text in ("kept", "dropped", "dropped too"):
            log.append([line(text)])
        log.event(LogEventKind.STEP_ENDED, "", {"state": "success"})
        assert [(record.event, record.text) for record in records(spool)] == [
            (None, "kept"),
            (LogEventKind.WARNING, "the log is cut here: the step printed more than 10 bytes"),
            (LogEventKind.STEP_ENDED, ""),
        ]


class TestLost:
    def test_what_was_lost_is_said_as_soon_as_there_is_space(self, spool: Spool) -> None:
        file = spool.create(STREAM)
        log = AttemptLog(STREAM, file, str, str)
        file._lose(5, "No space left on device")
        log.append([line("after")])
        assert [record.text for record in records(spool)] == [
            "5 records of this log are lost: No space left on device",
            "after",
        ]
