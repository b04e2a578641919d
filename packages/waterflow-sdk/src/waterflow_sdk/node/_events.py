"""Events of a step as log records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..wire import LogEventKind, LogRecord, LogStreamKind

_Emit = Callable[[LogEventKind, str, dict[str, Any]], None]


class StepLog:
    """Implements :class:`NodeLog`."""

    def __init__(self, emit: _Emit) -> None:
        self._emit = emit

    def info(self, text: str, **place: Any) -> None:
        """As :meth:`NodeLog.info`."""
        self._emit(LogEventKind.NOTICE, text, _known(place))

    def warning(self, text: str, **place: Any) -> None:
        """As :meth:`NodeLog.warning`."""
        self._emit(LogEventKind.WARNING, text, _known(place))

    def error(self, text: str, **place: Any) -> None:
        """As :meth:`NodeLog.error`."""
        self._emit(LogEventKind.ERROR, text, _known(place))

    def group(self, title: str) -> None:
        """As :meth:`NodeLog.group`."""
        self._emit(LogEventKind.GROUP, title, {})

    def end_group(self) -> None:
        """As :meth:`NodeLog.end_group`."""
        self._emit(LogEventKind.END_GROUP, "", {})

    @staticmethod
    def records(kind: LogEventKind, text: str, data: dict[str, Any]) -> list[LogRecord]:
        """One record a line, because a record holds none; only the first carries the data."""
        now = datetime.now(UTC)
        first, *more = text.splitlines() or [""]
        head = LogRecord(time=now, stream=LogStreamKind.EVENT, event=kind, text=first, data=data)
        return [head, *(LogRecord(time=now, stream=LogStreamKind.EVENT, event=kind, text=line) for line in more)]


def _known(place: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in place.items() if value is not None}
