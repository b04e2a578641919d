"""Log streams and records: what an agent spools, ships and the server keeps and follows.

A *stream* is the log of one step attempt, written as NDJSON, one record a line. Its length in bytes is the offset that
the agent ships from, so that shipping is idempotent and resumes anywhere.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from ._base import Wire


class LogStreamKind(StrEnum):
    """Where a record comes from. ``event`` records tell the story: boundaries, progress, annotations."""

    STDOUT = "stdout"
    STDERR = "stderr"
    EVENT = "event"


class LogEventKind(StrEnum):
    """What an ``event`` record says. An unknown kind is shown as its ``text``."""

    STEP_STARTED = "step-started"
    STEP_ENDED = "step-ended"
    PROGRESS = "progress"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    GROUP = "group"
    END_GROUP = "endgroup"


class LogRecord(Wire, frozen=True, kw_only=True):
    """One line of a stream.

    ``text`` has no line break. ``event`` and ``data`` are set on ``event`` records only:
    ``step-started`` {node, name, run_as}, ``step-ended`` {state, exit_code}, ``progress`` {percent},
    ``error``/``warning``/``notice`` {file, line, column, title} where known. ``partial`` marks a line that the next
    record continues.
    """

    time: datetime
    stream: LogStreamKind
    text: str = ""
    event: LogEventKind | None = None
    data: dict[str, Any] = {}
    partial: bool = False


class LogRef(Wire, frozen=True, kw_only=True):
    """Where the log of an attempt is: its stream name, and its length when it has ended."""

    stream: str
    bytes: int = 0
    lines: int = 0


class LogLine(Wire, frozen=True, kw_only=True):
    """A record as the server gives it out: with its place in the run. ``cursor`` is opaque and resumes after it.

    ``kept_from`` names the run that wrote the line, where a retry kept what it tells of.
    """

    cursor: str
    job: str
    step: str
    attempt: int
    agent: str
    time: datetime
    stream: LogStreamKind
    text: str = ""
    event: LogEventKind | None = None
    data: dict[str, Any] = {}
    partial: bool = False
    kept_from: str | None = None


class LogAck(Wire, frozen=True, kw_only=True):
    """Answer to ``PUT /v1/logs/{stream}?offset=``: the length of the stream the server now holds, in bytes."""

    offset: int


class StreamName(Wire, frozen=True, kw_only=True):
    """The parts of a stream's name ``<run>/<job instance>/<step path>.<attempt>``."""

    run: str
    job: str
    step: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.run}/{self.job}/{self.step}.{self.attempt}"

    @classmethod
    def parse(cls, name: str) -> StreamName:
        """Parse a stream name; raises ``ValueError`` that says what is wrong."""
        run, slash, rest = name.partition("/")
        job, slash2, tail = rest.rpartition("/")
        step, dot, attempt = tail.rpartition(".")
        if not (run and slash and job and slash2 and step and dot and attempt.isascii() and attempt.isdigit()):
            raise ValueError(f"log stream {name!r} is not of the form <run>/<job instance>/<step path>.<attempt>")
        if any(part in {".", ".."} for part in (run, *job.split("/"))) or "\0" in name:
            raise ValueError(f"log stream {name!r} has a part that is not allowed")
        return cls(run=run, job=job, step=step, attempt=int(attempt))
