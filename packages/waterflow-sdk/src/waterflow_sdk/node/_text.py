"""Standard output and error of a step: text in, masked records out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import RLock

from ..wire import LogRecord, LogStreamKind
from ._context import Line
from ._lines import LineSplitter
from ._masking import Masker, MaskStream

Sink = Callable[[Sequence[LogRecord]], None]
"""Takes the records of a step, in order, in batches, already masked."""


class MaskedText:
    """One source of text for a stream: masks across chunk borders, cuts into lines, stamps, hands on in batches."""

    def __init__(self, stream: LogStreamKind, masker: Masker, sink: Sink, lock: RLock) -> None:
        self._stream = stream
        self._lock = lock
        self._mask = MaskStream(masker)
        self._split = LineSplitter()
        self._sink = sink

    def write(self, text: str) -> None:
        """Append text; complete lines are handed on."""
        with self._lock:
            self._emit(self._split.feed(self._mask.feed(text)))

    def flush(self) -> None:
        """Hand on what is left, as a line of its own."""
        with self._lock:
            self._emit([*self._split.feed(self._mask.flush()), *self._split.flush()])

    def _emit(self, lines: list[Line]) -> None:
        if lines:
            now = datetime.now(UTC)
            stream = self._stream
            self._sink([LogRecord(time=now, stream=stream, text=line.text, partial=line.partial) for line in lines])
