"""A step that goes on says again what its log has: exactly that is left out, also where the log is cut or lost some."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from waterflow_agent._logs._attempt_log import AttemptLog
from waterflow_agent._logs._replay import Replay
from waterflow_agent._logs._spool import SpoolFile
from waterflow_sdk.wire import LogEventKind, LogRecord, LogStreamKind

AT = datetime(2026, 11, 21, tzinfo=UTC)


def line(number: int) -> LogRecord:
    return LogRecord(time=AT, stream=LogStreamKind.STDOUT, text=f"line {number}")


def notice(text: str) -> LogRecord:
    return LogRecord(time=AT, stream=LogStreamKind.EVENT, event=LogEventKind.NOTICE, text=text)


def opened(path: Path, max_bytes: int = 1 << 20, *, again: bool = False) -> AttemptLog:
    file = SpoolFile(path)
    return AttemptLog("s", file, lambda _: None, lambda _: None, max_bytes, Replay(path) if again else None)


def texts(path: Path) -> list[str]:
    return [msgspec.json.decode(each, type=LogRecord).text for each in path.read_bytes().splitlines()]


class TestReplay:
    def test_of_a_log_that_has_the_beginning(self, tmp_path: Path) -> None:
        path = tmp_path / "s.log"
        first = opened(path)
        first.event(LogEventKind.STEP_STARTED)
        first.append([line(1), notice("two"), line(3)])
        again = opened(path, again=True)
        again.append([line(1), notice("two")])
        again.append([line(3), line(4)])
        again.event(LogEventKind.STEP_ENDED)
        assert again.close().lines == 6
        assert texts(path) == ["", "line 1", "two", "line 3", "line 4", ""]

    def test_of_a_line_that_the_kill_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "s.log"
        opened(path).append([line(1), line(2)])
        path.write_bytes(path.read_bytes()[:-3])
        opened(path, again=True).append([line(1), line(2), line(3)])
        assert texts(path) == ["line 1", "line 2", "line 3"]

    def test_of_a_log_that_was_cut_and_has_later_events(self, tmp_path: Path) -> None:
        path = tmp_path / "s.log"
        said = [line(1), line(2), line(3), notice("late"), line(4)]
        first = opened(path, max_bytes=100)
        for record in said:
            first.append([record])
        before = texts(path)
        again = opened(path, max_bytes=100, again=True)
        for record in said:
            again.append([record])
        assert texts(path) == before
        again.append([notice("later")])
        again.event(LogEventKind.STEP_ENDED)
        note = "the log is cut here: the step printed more than 100 bytes"
        assert before == ["line 1", "line 2", note, "late"]
        assert texts(path) == [*before, "later", "2 records were dropped where the log is cut", ""]

    def test_of_records_that_a_full_disk_lost(self, tmp_path: Path) -> None:
        path = tmp_path / "s.log"
        told = LogRecord(
            time=AT, stream=LogStreamKind.EVENT, event=LogEventKind.WARNING, text="2 records are lost", data={"lost": 2}
        )
        opened(path).append([line(1), told, line(4)])
        opened(path, again=True).append([line(number) for number in range(1, 6)])
        assert texts(path) == ["line 1", "2 records are lost", "line 4", "line 5"]
