"""From the bytes of one connection to the items of an event stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import msgspec

from ._errors import ServerUnavailable
from ._problems import not_waterflow
from ._resuming import Place
from ._sse import Event, EventParser, EventSizeError

LONGEST_RETRY = 30.0
"""Seconds: what a server asks for beyond it is not obeyed."""

T = TypeVar("T")
E = TypeVar("E")


class SseReader(ABC, Generic[T, E]):
    """Reads one connection until the event ``end``; notes in ``place`` how far it got.

    Subclasses say what they read: ``stream`` and ``item`` in messages, ``whole`` for what must not be cut short.
    """

    stream: str
    item: str
    whole: str

    def __init__(self, place: Place[E]) -> None:
        self._place = place
        self._parser = EventParser(place.cursor)

    def feed(self, chunk: bytes) -> list[T]:
        """The items that the next bytes complete, maybe none."""
        found: list[T] = []
        for event in self._parse(chunk):
            try:
                if event.type == "end":
                    self._place.end = self._end(event)
                    break
                found += self._items(event)
            except msgspec.MsgspecError as error:
                raise not_waterflow(f"sends {self.item} that cannot be read ({error})") from None
        self._place.cursor = self._parser.last_id
        return found

    def finish(self) -> None:
        """The connection was closed, but not by the end: the server stops or starts anew."""
        raise ServerUnavailable(f"the server closed the connection before the end of the {self.whole}")

    @abstractmethod
    def _items(self, event: Event) -> list[T]:
        """What an event holds: nothing where this version does not know its type."""

    @abstractmethod
    def _end(self, event: Event) -> E:
        """What the last event holds."""

    def _parse(self, chunk: bytes) -> list[Event]:
        try:
            events = self._parser.feed(chunk)
        except EventSizeError as error:
            raise not_waterflow(f"sends a broken {self.stream} ({error})") from None
        if self._parser.retry is not None:
            self._place.retry = min(self._parser.retry, LONGEST_RETRY)
        return events
