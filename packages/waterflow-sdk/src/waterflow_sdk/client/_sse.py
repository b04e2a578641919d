"""Parser for the event stream format of the WHATWG HTML standard (server-sent events, section 9.2.6)."""

from __future__ import annotations

import codecs
import re

import msgspec

MAX_EVENT = 16 * 1024 * 1024
"""Characters that one event may hold; a stream with more is broken or hostile."""

_LINE_END = re.compile(r"\r\n|\n|\r")


class Event(msgspec.Struct, frozen=True):
    """A dispatched event. ``id`` is the last event id of the stream at that moment, also when this event has none."""

    type: str
    data: str
    id: str


class EventSizeError(ValueError):
    """An event is longer than :data:`MAX_EVENT` characters."""


class EventParser:
    """Turns the bytes of a stream, cut anywhere, into events.

    An event counts only with the empty line that ends it: what a broken connection leaves behind is dropped, as the
    standard demands, so that resuming after ``last_id`` neither loses nor repeats one.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: float | None = None
        """Seconds to wait before reconnecting, once the server has named them."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._started = False
        self._skip_newline = False
        self._open_line: list[str] = []
        self._open_size = 0
        self._reset()

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes; give the events that they complete. Raises :class:`EventSizeError`."""
        events: list[Event] = []
        for line in self._lines(self._text(chunk)):
            if not line:
                self._dispatch(events)
            else:
                self._field(line)
        if self._open_size + self._data_size > MAX_EVENT:
            raise EventSizeError(f"an event of the stream has more than {MAX_EVENT} characters")
        return events

    def _text(self, chunk: bytes) -> str:
        text = self._decoder.decode(chunk)
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if text and self._skip_newline:
            self._skip_newline = False
            text = text.removeprefix("\n")
        # A line ends with its CR already; should the LF of a CRLF come with the next bytes, it is skipped there.
        self._skip_newline = self._skip_newline or text.endswith("\r")
        return text

    def _lines(self, text: str) -> list[str]:
        *complete, rest = _LINE_END.split(text)
        if complete:
            complete[0] = "".join((*self._open_line, complete[0]))
            self._open_line = []
            self._open_size = 0
        if rest:
            self._open_line.append(rest)
            self._open_size += len(rest)
        return complete

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._data_size += len(value)
        elif name == "id":
            if "\0" not in value:
                self._id = value
        elif name == "event":
            self._type = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value) / 1000

    def _dispatch(self, events: list[Event]) -> None:
        self.last_id = self._id
        if self._data:
            events.append(Event(self._type or "message", "\n".join(self._data), self.last_id))
        self._reset()

    def _reset(self) -> None:
        self._data: list[str] = []
        self._type = ""
        self._data_size = 0
        self._id = self.last_id
