"""Log lines as text, as NDJSON and as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC

import msgspec

from waterflow_sdk.wire import LogLine

from .._errors import ServerError
from ..logs import Follower, LogBatch
from ..runs import RunError

TEXT = "text/plain"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"

KEEP_ALIVE = 15.0
"""Seconds without a line after which a comment shows that the connection lives."""

_RETRY = b"retry: 500\n\n"  # a client whose connection broke comes back this soon, in milliseconds
_encoder = msgspec.json.Encoder()


def as_text(lines: Sequence[LogLine]) -> bytes:
    """``<time> <job> <step> <stream> <text>``, and the attempt where it is not the first."""
    return "".join(_text_line(line) for line in lines).encode()


def as_ndjson(lines: Sequence[LogLine]) -> bytes:
    """One JSON object a line."""
    return b"".join(part for line in lines for part in (_encoder.encode(line), b"\n"))


async def events(follower: Follower, start: LogBatch) -> AsyncIterator[bytes]:
    """The events of a followed log (WHATWG HTML, "Server-sent events"): ``log`` for each line, ``end`` as the last."""
    yield _RETRY + _log_events(start.lines)
    clock = asyncio.get_running_loop().time
    sent = clock()
    try:
        async for lines in follower.lines(start.cursor):
            if lines:
                yield _log_events(lines)
                sent = clock()
            elif clock() - sent >= KEEP_ALIVE:
                yield b": keep-alive\n\n"
                sent = clock()
    except (ServerError, RunError) as error:
        # The status is long sent: say what is wrong and break off, the client comes back to its last line.
        yield f": {error.code}: {' '.join(str(error).split())}\n\n".encode()
        return
    if follower.end is not None:
        yield b"event: end\ndata: " + _encoder.encode(follower.end) + b"\n\n"


def _log_events(lines: Sequence[LogLine]) -> bytes:
    return b"".join(
        b"event: log\nid: %b\ndata: %b\n\n" % (line.cursor.encode(), _encoder.encode(line)) for line in lines
    )


def _text_line(line: LogLine) -> str:
    time = line.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attempt = f" (attempt {line.attempt})" if line.attempt > 1 else ""
    text = line.text or (line.event.value if line.event else "")
    return f"{time} {line.job} {line.step}{attempt} {line.stream.value} {text}\n"
