"""The log of one attempt: records, already masked, go to the spool in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from waterflow_sdk.wire import LogEventKind, LogRecord, LogRef, LogStreamKind

from .._clock import now
from ._spool import SpoolFile

MAX_BYTES = 100 * 1024 * 1024
"""Output of one attempt that is kept; the end of a longer one is dropped with a note. Events are always kept."""


class AttemptLog:
    """Writes the records of one attempt. May be called from any thread; a full disk raises nothing.

    ``written`` is called with the stream after each write, ``ended`` once at the end, so that the shipper looks.
    """

    def __init__(
        self,
        stream: str,
        file: SpoolFile,
        written: Callable[[str], None],
        ended: Callable[[str], None],
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.stream = stream
        self._file = file
        self._written = written
        self._ended = ended
        self._max_bytes = max_bytes
        self._cut = False
        self._lines = 0
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    def append(self, records: Sequence[LogRecord]) -> None:
        """Adds records. Beyond the size cap, output is dropped and events are kept."""
        with self._lock:
            if self._file.length >= self._max_bytes:
                records = self._capped(records)
            if records:
                self._report_lost()
                self._write(records)

    def event(self, kind: LogEventKind, text: str = "", data: dict[str, Any] | None = None) -> None:
        """Adds an event of the agent itself; nothing in it may be secret."""
        self.append([_event(kind, text, data or {})])

    def close(self) -> LogRef:
        """Ends the log and answers where it is and how long."""
        with self._lock:
            self._report_lost()
            self._file.close()
        self._ended(self.stream)
        return LogRef(stream=self.stream, bytes=self._file.length, lines=self._lines)

    def _write(self, records: Sequence[LogRecord]) -> None:
        data = b"\n".join([*map(self._encoder.encode, records), b""])
        if self._file.append(data, len(records)):
            self._lines += len(records)
            self._written(self.stream)

    def _capped(self, records: Sequence[LogRecord]) -> list[LogRecord]:
        kept = [record for record in records if record.stream is LogStreamKind.EVENT]
        if not self._cut:
            self._cut = True
            text = f"the log is cut here: the step printed more than {self._max_bytes:,} bytes"
            kept.insert(0, _event(LogEventKind.WARNING, text, {}))
        return kept

    def _report_lost(self) -> None:
        """Says what was lost, as soon as there is space again."""
        lost, reason = self._file.take_lost()
        if lost:
            text = f"{lost} records of this log are lost: {reason}"
            self._write([_event(LogEventKind.WARNING, text, {"lost": lost})])


def _event(kind: LogEventKind, text: str, data: dict[str, Any]) -> LogRecord:
    return LogRecord(time=now(), stream=LogStreamKind.EVENT, event=kind, text=text, data=data)
