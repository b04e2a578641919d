"""Counts the numbered lines of a log stream by stream, without keeping them: a million lines take a few counters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from harness.files import files_below

from waterflow_sdk.wire import LogLine, LogRecord

_MOST_PROBLEMS = 20

_record = msgspec.json.Decoder(LogRecord)


class Stream:
    """One stream: how many numbered lines it has, and a digest of all its records in their order."""

    def __init__(self) -> None:
        self.lines = 0
        self.records = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Equal for the same records in the same order."""
        return self._digest.hexdigest()

    def take(self, record: LogRecord | LogLine) -> str | None:
        """The next record; a sentence when it is a numbered line that is not the next number."""
        self.records += 1
        self._digest.update(f"{record.stream.value}\0{record.event}\0{record.text}\n".encode())
        if record.event is not None:
            return None
        expected, self.lines = str(self.lines + 1), self.lines + 1
        return None if record.text == expected else f"line {record.text!r} where {expected!r} comes next"


class Tally:
    """The streams of a run by name, and what was wrong with their numbers."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.problems: list[str] = []

    @property
    def lines(self) -> int:
        """Numbered lines of all streams."""
        return sum(stream.lines for stream in self.streams.values())

    def take(self, name: str, record: LogRecord | LogLine) -> None:
        """The next record of a stream."""
        problem = self.streams.setdefault(name, Stream()).take(record)
        if problem and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{name}: {problem}")

    def take_lines(self, run: str, lines: Iterable[LogLine]) -> None:
        """Lines as the server gives them out, of whatever streams."""
        for line in lines:
            self.take(f"{run}/{line.job}/{line.step}.{line.attempt}", line)

    def difference(self, other: Tally) -> list[str]:
        """What one has and the other has not, or not in the same order."""
        found: list[str] = []
        for name in sorted(self.streams.keys() | other.streams.keys()):
            mine, theirs = self.streams.get(name), other.streams.get(name)
            if mine is None or theirs is None:
                found.append(f"{name} is only on one side")
            elif mine.digest != theirs.digest:
                found.append(f"{name}: {mine.records} records here, {theirs.records} there, or in another order")
        return found


def tally_of_spool(directory: Path, run: str) -> Tally:
    """What an agent has spooled for a run, shipped or not."""
    tally = Tally()
    for folder in ("open", "shipped"):
        root = directory / folder
        for path in (path for path in files_below(root / run) if path.suffix == ".log"):
            name = str(path.relative_to(root)).removesuffix(".log")
            with suppress(FileNotFoundError):  # it is being filed away: found in the second folder, maybe in both
                records = path.read_bytes().splitlines()
                tally.streams.pop(name, None)
                for record in records:
                    tally.take(name, _record.decode(record))
    return tally
