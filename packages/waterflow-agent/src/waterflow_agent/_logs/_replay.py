"""An attempt that goes on after a restart of the agent says again what it said before: that is in its log already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from waterflow_sdk.wire import LogEventKind, LogRecord, LogStreamKind

CUT = "cut"
"""Key in the data of the agent's note that the log is cut there. Its notes of lost records have a count in ``lost``."""


class Replay:
    """Lets through only what the log does not have. The node says the same again, so it is enough to count.

    Before a cut every record of the step is in the log, or among those that a note calls lost; after it only events.
    """

    def __init__(self, path: str | Path) -> None:
        self.lines = 0
        self.cut = False
        self._known = 0
        self._events = 0
        decoder = msgspec.json.Decoder(LogRecord)
        with open(path, "rb") as file:
            for line in file:
                self.lines += 1
                self._count(decoder.decode(line) if b'"event":"' in line else None)

    def new(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        """Those that the log does not have."""
        known = min(self._known, len(records))
        self._known -= known
        rest = records[known:]
        if not self._events:
            return rest
        return [record for record in rest if not self._has(record)]

    def _has(self, record: LogRecord) -> bool:
        if record.stream is not LogStreamKind.EVENT or not self._events:
            return False
        self._events -= 1
        return True

    def _count(self, event: LogRecord | None) -> None:
        data: dict[str, Any] = event.data if event else {}
        if event and event.event is LogEventKind.STEP_STARTED:
            return
        if event and event.event is LogEventKind.WARNING and CUT in data:
            self.cut = True
        elif event and event.event is LogEventKind.WARNING and "lost" in data:
            self._known += data["lost"]
        elif self.cut:
            self._events += event is not None
        else:
            self._known += 1
