"""From the bytes of one connection to log lines: as events (followed) or as one JSON document a line."""

from __future__ import annotations

import msgspec

from ..wire import LogEnd, LogLine
from ._errors import ServerUnavailable
from ._problems import not_waterflow
from ._resuming import Place
from ._sse import MAX_EVENT, Event
from ._sse_reader import SseReader

_line = msgspec.json.Decoder(LogLine)
_end = msgspec.json.Decoder(LogEnd)


class EventReader(SseReader[LogLine, LogEnd]):
    """Reads a followed log: events ``log`` and, at last, ``end``; others are ignored."""

    stream = whole = "log"
    item = "a log line"

    def _items(self, event: Event) -> list[LogLine]:
        return [_line.decode(event.data)] if event.type == "log" else []

    def _end(self, event: Event) -> LogEnd:
        return _end.decode(event.data)


class LineReader:
    """Reads a log that is not followed (NDJSON)."""

    def __init__(self, place: Place[LogEnd]) -> None:
        self._place = place
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[LogLine]:
        """The lines that the next bytes complete, maybe none."""
        self._rest += chunk
        if b"\n" not in chunk:
            if len(self._rest) > MAX_EVENT:
                raise not_waterflow(f"sends a broken log (a line has more than {MAX_EVENT} bytes)")
            return []
        *complete, self._rest = self._rest.split(b"\n")
        return self._decode(complete)

    def finish(self) -> None:
        """The body is at its end, which is the end of the log unless a line is cut."""
        if self._rest.strip():
            raise ServerUnavailable("the server closed the connection within a line of the log")

    def _decode(self, complete: list[bytearray]) -> list[LogLine]:
        try:
            lines = [_line.decode(line) for line in complete if line.strip()]
        except msgspec.MsgspecError as error:
            raise not_waterflow(f"sends a log line that cannot be read ({error})") from None
        if lines:
            self._place.cursor = lines[-1].cursor
        return lines
