"""The events of a run as they happen, each once, across broken connections and restarts of the server."""

from __future__ import annotations

import msgspec

from ..wire import EventKind, RunEnd, RunEvent
from ._resuming import SSE, Place, Reader, Resuming, SyncResuming
from ._sse import Event
from ._sse_reader import SseReader
from ._transport import Query, Transport

_event = msgspec.json.Decoder(RunEvent)
_end = msgspec.json.Decoder(RunEnd)
_KINDS = frozenset(kind.value for kind in EventKind)


class EventStream(Resuming[RunEvent, RunEnd]):
    """Async iterator over the :class:`~waterflow_sdk.wire.RunEvent` of a run: those so far, then those that come, each
    once, until the run has ended.

    A broken connection is taken up again where it was, with growing pauses: without end, or until the server has been
    away for ``give_up_after`` seconds, which raises :class:`ServerUnavailable`.
    """

    def __init__(self, transport: Transport, path: str, *, give_up_after: float | None) -> None:
        super().__init__(transport, path, media_type=SSE, give_up_after=give_up_after)
        self._seen: set[str] = set()

    def _query(self) -> Query:
        return {}

    def _reader(self) -> Reader[RunEvent]:
        return _EventReader(self._place, self._seen)


class _EventReader(SseReader[RunEvent, RunEnd]):
    """Reads one connection; events of kinds that this version does not know are passed over.

    ``seen`` outlives it: a server tells some events again after a reconnect, with the same ids.
    """

    stream = "stream"
    item = "an event"
    whole = "run"

    def __init__(self, place: Place[RunEnd], seen: set[str]) -> None:
        super().__init__(place)
        self._seen = seen

    def _items(self, event: Event) -> list[RunEvent]:
        if event.type not in _KINDS:
            return []
        told = _event.decode(event.data)
        if told.id in self._seen:
            return []
        self._seen.add(told.id)
        return [told]

    def _end(self, event: Event) -> RunEnd:
        return _end.decode(event.data)


class SyncEventStream(SyncResuming[RunEvent, RunEnd]):
    """Iterator over the events of a run; see :class:`EventStream`."""
