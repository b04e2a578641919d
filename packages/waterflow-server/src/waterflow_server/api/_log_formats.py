"""Log lines as text, as NDJSON and as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC

import msgspec

from waterflow_sdk.wire import LogLine

from ..logs import Follower, LogBatch, LogQuery, RunLog, own
from . import _sse as sse
from ._steps import NamedStep

TEXT = "text/plain"
NDJSON = "application/x-ndjson"

_encoder = msgspec.json.Encoder()


def as_text(lines: Sequence[LogLine]) -> bytes:
    """``<time> <job> <step> <stream> <text>``, and the attempt where it is not the first; ``…``: the line goes on."""
    return "".join(_text_line(line) for line in lines).encode()


def as_ndjson(lines: Sequence[LogLine]) -> bytes:
    """One JSON object a line."""
    return b"".join(part for line in lines for part in (_encoder.encode(line), b"\n"))


def events(
    follower: Follower, log: RunLog, start: LogBatch, query: LogQuery, named: NamedStep | None = None
) -> AsyncIterator[bytes]:
    """The events of a followed log: ``log`` for each line, ``end`` as the last. ``named``: only lines of this step."""
    return sse.stream(_log_events(start.lines), _coming(follower, log, start, query, named), lambda: follower.end)


async def _coming(
    follower: Follower, log: RunLog, start: LogBatch, query: LogQuery, named: NamedStep | None
) -> AsyncIterator[bytes]:
    async for batch in log.read_kept(start.cursor, query):
        yield _log_events(await named.lines_of(batch.lines) if named else batch.lines)
    async for lines in follower.lines(own(start.cursor)):
        yield _log_events(await named.lines_of(lines) if named else lines)


def _log_events(lines: Sequence[LogLine]) -> bytes:
    return b"".join(sse.event("log", line, line.cursor) for line in lines)


def _text_line(line: LogLine) -> str:
    time = line.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attempt = f" (attempt {line.attempt})" if line.attempt > 1 else ""
    kept = f" (kept from {line.kept_from})" if line.kept_from else ""
    text = line.text or (line.event.value if line.event else "")
    text += "…" if line.partial else ""
    return f"{time} {line.job} {line.step}{attempt}{kept} {line.stream.value} {text}\n"
