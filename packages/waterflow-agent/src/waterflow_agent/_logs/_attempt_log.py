"""The log of one attempt: records, already masked, go to the spool in batches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from waterflow_sdk.wire import LogEventKind, LogRecord, LogRef, LogStreamKind

from .._clock import now
from ._replay import CUT, Replay
from ._spool import SpoolFile

logger = logging.getLogger("waterflow.agent")

MAX_BYTES = 100 * 1024 * 1024
"""Output of one attempt that is kept; the end of a longer one is dropped with a note that says how many lines."""

EVENT_BYTES = 1024 * 1024
"""Beyond that, events of the step are still kept, up to so much more; those of the agent always are."""


class AttemptLog:
    """Writes the records of one attempt. May be called from any thread; a full disk raises nothing.

    ``replay`` is given where a former incarnation wrote the beginning, and the step says that again.
    ``written`` is called with the stream after each write, ``ended`` once at the end, so that the shipper looks.
    """

    def __init__(
        self,
        stream: str,
        file: SpoolFile,
        written: Callable[[str], None],
        ended: Callable[[str], None],
        max_bytes: int = MAX_BYTES,
        replay: Replay | None = None,
    ) -> None:
        self._replay = replay
        self.stream = stream
        self._file = file
        self._written = written
        self._ended = ended
        self._max_bytes = max_bytes
        self._cut = replay.cut if replay else False
        self._dropped = 0
        self._lost = 0
        self._lines = replay.lines if replay else 0
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    def append(self, records: Sequence[LogRecord]) -> None:
        """Adds records of the step. Beyond the size cap, output is dropped and events are kept for a while."""
        with self._lock:
            if self._replay:
                records = self._replay.new(records)
            if self._file.length >= self._max_bytes:
                records = self._capped(records)
            if records:
                self._write(records)

    def event(self, kind: LogEventKind, text: str = "", data: dict[str, Any] | None = None) -> None:
        """Adds an event of the agent itself, which is kept even where output is not; nothing in it may be secret."""
        with self._lock:
            records = [_event(kind, text, data or {})]
            if kind is LogEventKind.STEP_ENDED and self._dropped:
                note = f"{self._dropped:,} records were dropped where the log is cut"
                records.insert(0, _event(LogEventKind.WARNING, note, {"dropped": self._dropped}))
            self._write(records, needed=True)

    def close(self) -> LogRef:
        """Ends the log and answers where it is and how long."""
        with self._lock:
            if self._lost:
                self._write([], needed=True)
            self._file.close()
        if self._lost:
            logger.error("log %s: %d records are lost: %s", self.stream, self._lost, self._file.failure)
        self._ended(self.stream)
        return LogRef(stream=self.stream, bytes=self._file.length, lines=self._lines)

    def _write(self, records: Sequence[LogRecord], *, needed: bool = False) -> None:
        """What was lost before is said first, and together: a small note that alone found room would follow another."""
        told = self._loss() + list(records)
        data = b"\n".join([*map(self._encoder.encode, told), b""])
        if self._file.append(data, needed=needed):
            self._lost = 0
            self._lines += len(told)
            self._written(self.stream)
        else:
            self._lost += len(records)

    def _loss(self) -> list[LogRecord]:
        if not self._lost:
            return []
        text = f"{self._lost} records of this log are lost: {self._file.failure}"
        return [_event(LogEventKind.WARNING, text, {"lost": self._lost})]

    def _capped(self, records: Sequence[LogRecord]) -> list[LogRecord]:
        events = self._file.length < self._max_bytes + EVENT_BYTES
        kept = [record for record in records if events and record.stream is LogStreamKind.EVENT]
        self._dropped += len(records) - len(kept)
        if not self._cut:
            self._cut = True
            text = f"the log is cut here: the step printed more than {self._max_bytes:,} bytes"
            kept.insert(0, _event(LogEventKind.WARNING, text, {CUT: self._max_bytes}))
        return kept


def _event(kind: LogEventKind, text: str, data: dict[str, Any]) -> LogRecord:
    return LogRecord(time=now(), stream=LogStreamKind.EVENT, event=kind, text=text, data=data)
