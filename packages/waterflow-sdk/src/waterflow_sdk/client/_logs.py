"""The log of a run, line by line, across broken connections and restarts of the server."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..wire import LogEnd, LogLine, LogStreamKind
from ._log_readers import EventReader, LineReader
from ._resuming import NDJSON, SSE, Reader, Resuming, SyncResuming
from ._transport import Query, Transport


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a run's log. Each filter that is not None narrows it.

    ``job`` is a job id or instance, ``step`` a step id or path, ``host`` an agent's name or id, ``tail`` the number of
    last lines to begin with, ``since`` the time to begin at, ``search`` text that a line must hold.
    """

    job: str | None = None
    step: str | None = None
    host: str | None = None
    attempt: int | None = None
    stream: LogStreamKind | None = None
    tail: int | None = None
    since: datetime | None = None
    search: str | None = None

    def query(self, *, resumed: bool) -> dict[str, str | int | None]:
        """As parameters. Once a line was received, ``tail`` has done its work: the cursor says where to go on."""
        query: dict[str, str | int | None] = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        if resumed:
            query["tail"] = None
        return query


class LogStream(Resuming[LogLine, LogEnd]):
    """Async iterator over the :class:`~waterflow_sdk.wire.LogLine` of a run; each line comes exactly once.

    A broken connection is taken up again after the last line received, with growing pauses: without end, or until the
    server has been away for ``give_up_after`` seconds, which raises :class:`ServerUnavailable`.
    """

    def __init__(
        self, transport: Transport, path: str, filter: LogFilter, *, follow: bool, give_up_after: float | None
    ) -> None:
        if give_up_after is None and not follow:
            give_up_after = transport.settings.timeout
        super().__init__(transport, path, media_type=SSE if follow else NDJSON, give_up_after=give_up_after)
        self._filter = filter
        self._follow = follow

    def _query(self) -> Query:
        return {**self._filter.query(resumed=bool(self.cursor)), "follow": True if self._follow else None}

    def _reader(self) -> Reader[LogLine]:
        return EventReader(self._place) if self._follow else LineReader(self._place)


class SyncLogStream(SyncResuming[LogLine, LogEnd]):
    """Iterator over the lines of a run's log; see :class:`LogStream`."""
