"""The events of a run as they happen, each once, across broken connections and restarts of the server."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from ..wire import EventKind, RunEnd, RunEvent
from ._errors import ServerUnavailable
from ._portal import Portal
from ._problems import not_waterflow
from ._resuming import SSE, Reader, Resuming
from ._sse import Event, EventParser, EventSizeError
from ._transport import Query, Transport

LONGEST_RETRY = 30.0

_event = msgspec.json.Decoder(RunEvent)
_end = msgspec.json.Decoder(RunEnd)
_KINDS = frozenset(kind.value for kind in EventKind)


class _Place(msgspec.Struct):
    """What outlives a connection. ``seen``: a server tells some events again after a reconnect, with the same ids."""

    cursor: str = ""
    end: RunEnd | None = None
    retry: float = 0.0
    seen: set[str] = msgspec.field(default_factory=set[str])


class EventStream(Resuming[RunEvent]):
    """Async iterator over the :class:`~waterflow_sdk.wire.RunEvent` of a run: those so far, then those that come, each
    once, until the run has ended.

    A broken connection is taken up again where it was, with growing pauses: without end, or until the server has been
    away for ``give_up_after`` seconds, which raises :class:`ServerUnavailable`.
    """

    def __init__(self, transport: Transport, path: str, *, give_up_after: float | None) -> None:
        super().__init__(transport, path, media_type=SSE, give_up_after=give_up_after)
        self._place = _Place()

    @property
    def cursor(self) -> str:
        """Where the stream is, as the server named it; ``""`` at the beginning."""
        return self._place.cursor

    @property
    def end(self) -> RunEnd | None:
        """How the run ended, once the stream is at its end."""
        return self._place.end

    @property
    def ended(self) -> bool:
        """Whether the server has said that nothing more comes."""
        return self._place.end is not None

    def _query(self) -> Query:
        return {}

    def _reader(self) -> Reader[RunEvent]:
        return _EventReader(self._place)

    def _least_pause(self) -> float:
        return self._place.retry


class _EventReader:
    """Reads one connection; events of kinds that this version does not know are passed over."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._parser = EventParser(place.cursor)

    def feed(self, chunk: bytes) -> list[RunEvent]:
        """The new events that the next bytes complete."""
        found: list[RunEvent] = []
        for event in self._parse(chunk):
            try:
                if event.type in _KINDS:
                    found += self._new(_event.decode(event.data))
                elif event.type == "end":
                    self._place.end = _end.decode(event.data)
                    break
            except msgspec.MsgspecError as error:
                raise not_waterflow(f"sends an event that cannot be read ({error})") from None
        self._place.cursor = self._parser.last_id
        return found

    def finish(self) -> None:
        """The connection was closed, but not by the end of the run: the server stops or starts anew."""
        raise ServerUnavailable("the server closed the connection before the end of the run")

    def _new(self, event: RunEvent) -> list[RunEvent]:
        if event.id in self._place.seen:
            return []
        self._place.seen.add(event.id)
        return [event]

    def _parse(self, chunk: bytes) -> list[Event]:
        try:
            events = self._parser.feed(chunk)
        except EventSizeError as error:
            raise not_waterflow(f"sends a broken stream ({error})") from None
        if self._parser.retry is not None:
            self._place.retry = min(self._parser.retry, LONGEST_RETRY)
        return events


class SyncEventStream:
    """Iterator over the events of a run; see :class:`EventStream`."""

    def __init__(self, portal: Portal, stream: EventStream) -> None:
        self._portal = portal
        self._stream = stream
        self._events = self._all()

    @property
    def end(self) -> RunEnd | None:
        """How the run ended, once the stream is at its end."""
        return self._stream.end

    def __iter__(self) -> Iterator[RunEvent]:
        return self._events

    def __next__(self) -> RunEvent:
        return next(self._events)

    def _all(self) -> Iterator[RunEvent]:
        while events := self._portal.call(self._stream.next_batch()):
            yield from events

    def close(self) -> None:
        """Let go of the connection."""
        self._portal.call(self._stream.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
