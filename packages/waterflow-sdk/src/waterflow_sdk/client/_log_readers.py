"""From the bytes of one connection to log lines: as events (followed) or as one JSON document a line."""

from __future__ import annotations

import msgspec

from ..wire import LogEnd, LogLine
from ._errors import ServerUnavailable
from ._problems import not_waterflow
from ._sse import MAX_EVENT, Event, EventParser, EventSizeError

_line = msgspec.json.Decoder(LogLine)
_end = msgspec.json.Decoder(LogEnd)

LONGEST_RETRY = 30.0


class Place(msgspec.Struct):
    """What outlives a connection: how far the log was read, how it ended, how long the server asks to wait."""

    cursor: str = ""
    end: LogEnd | None = None
    retry: float = 0.0


class EventReader:
    """Reads a followed log: events ``log`` and, at last, ``end``; others are ignored."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._parser = EventParser(place.cursor)

    def feed(self, chunk: bytes) -> list[LogLine]:
        """The lines that the next bytes complete, maybe none."""
        lines: list[LogLine] = []
        for event in self._parse(chunk):
            try:
                if event.type == "log":
                    lines.append(_line.decode(event.data))
                    self._place.cursor = event.id
                elif event.type == "end":
                    self._place.end = _end.decode(event.data)
                    break
            except msgspec.MsgspecError as error:
                raise not_waterflow(f"sends a log line that cannot be read ({error})") from None
        return lines

    def _parse(self, chunk: bytes) -> list[Event]:
        try:
            events = self._parser.feed(chunk)
        except EventSizeError as error:
            raise not_waterflow(f"sends a broken log ({error})") from None
        if self._parser.retry is not None:
            self._place.retry = min(self._parser.retry, LONGEST_RETRY)
        return events

    def finish(self) -> None:
        """The connection was closed, but not by the end of the log: the server stops or starts anew."""
        raise ServerUnavailable("the server closed the connection before the end of the log")


class LineReader:
    """Reads a log that is not followed (NDJSON)."""

    def __init__(self, place: Place) -> None:
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
