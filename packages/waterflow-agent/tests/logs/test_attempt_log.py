"""The log of one attempt: records in the spool, capped, and honest about what is lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from waterflow_agent._logs import AttemptLog
from waterflow_agent._logs._attempt_log import EVENT_BYTES
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
            (LogEventKind.WARNING, "2 records were dropped where the log is cut"),
            (LogEventKind.STEP_ENDED, ""),
        ]

    def test_events_of_the_step_have_an_end_too(self, spool: Spool) -> None:
        log = make(spool, [], max_bytes=10)
        notice = LogRecord(
            time=datetime.now(UTC), stream=LogStreamKind.EVENT, event=LogEventKind.NOTICE, text="n" * 1000
        )
        for _ in range(4000):
            log.append([notice])
        log.event(LogEventKind.STEP_ENDED)
        ref = log.close()
        assert EVENT_BYTES < ref.bytes < EVENT_BYTES + 4096
        dropped, ended = records(spool)[-2:]
        assert dropped.data == {"dropped": 4000 - (ref.lines - 3)}
        assert ended.event is LogEventKind.STEP_ENDED


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """As on a full disk, for any user: a write beyond is refused by the system (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestLost:
    def test_what_was_lost_is_said_as_soon_as_there_is_space_and_in_its_place(self, spool: Spool) -> None:
        log = make(spool, [])
        log.append([line("before")])
        with files_no_longer_than(spool.path(STREAM).stat().st_size):
            log.append([line("a"), line("b")])
            log.append([line("c")])
        log.append([line("after")])
        ref = log.close()
        assert [record.text for record in records(spool)] == [
            "before",
            "3 records of this log are lost: File too large",
            "after",
        ]
        assert records(spool)[1].data == {"lost": 3}
        assert (ref.lines, ref.bytes) == (3, spool.path(STREAM).stat().st_size)

    def test_a_batch_that_half_fits_is_lost_as_a_whole(self, spool: Spool) -> None:
        log = make(spool, [])
        log.append([line("before")])
        with files_no_longer_than(spool.path(STREAM).stat().st_size + 30):
            log.append([line("a"), line("b")])
        log.append([line("after")])
        assert [record.text for record in records(spool)] == [
            "before",
            "2 records of this log are lost: No space left on device",
            "after",
        ]

    def test_where_space_never_comes_back_the_agents_own_log_says_it(
        self, spool: Spool, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = make(spool, [])
        with files_no_longer_than(0):
            log.append([line("a")])
            log.event(LogEventKind.STEP_ENDED)
            assert log.close() == LogRef(stream=STREAM)
        assert caplog.messages == [f"log {STREAM}: 2 records are lost: File too large"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB of its own (tmpfs)."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(path: Path) -> None:
    """What somebody else writes, to the last page."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


class TestFullDisk:
    def test_the_end_of_the_story_is_told_from_the_reserve(self, small_disk: Path) -> None:
        spool = Spool(small_disk)
        log = make(spool, [])
        log.append([line("before")])
        fill(small_disk / "others")
        for _ in range(100):
            log.append([line("x" * 8000)])
        log.event(LogEventKind.STEP_ENDED, "", {"state": "success"})
        log.close()
        told = [record.text for record in records(spool) if not record.text.startswith("x")]
        lost = 100 - (len(records(spool)) - 3)
        assert lost > 90
        assert told == ["before", f"{lost} records of this log are lost: No space left on device", ""]
        assert records(spool)[-1].event is LogEventKind.STEP_ENDED

    def test_an_agent_starts_on_one(self, small_disk: Path) -> None:
        (small_disk / "others").write_bytes(bytes(200 * 1024))
        spool = Spool(small_disk)
        assert not (small_disk / ".reserve").exists()
        (small_disk / "others").unlink()
        make(spool, []).close()
        assert (small_disk / ".reserve").stat().st_size == 64 * 1024
