"""Between the bytes of a chunk and its lines."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from waterflow_sdk.wire import LogEventKind, LogLine, LogRecord, LogStreamKind, StreamName

from ._cursor import Cursor
from ._journal import Chunk
from ._query import LogQuery
from ._store import InvalidChunk

_decoder = msgspec.json.Decoder(LogRecord)


def check_lines(data: bytes) -> None:
    """Raises InvalidChunk unless every line is a log record."""
    for number, line in enumerate(_split(data), start=1):
        try:
            _decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise InvalidChunk(
                f"line {number} of the chunk is not a log record: {error}", {"line": number, "reason": str(error)}
            ) from error


def read_lines(
    descriptor: int, run: str, chunks: Sequence[Chunk], after: Cursor | None, query: LogQuery
) -> list[LogLine]:
    """The lines of the chunks that come after the cursor and match the query."""
    lines: list[LogLine] = []
    for chunk in chunks:
        stream = StreamName.parse(f"{run}/{chunk.header.stream}")
        if query.wants_stream(stream) and query.wants_host(chunk.header.agent):
            skip = after.line + 1 if after is not None and after.position == chunk.position else 0
            data = os.pread(descriptor, chunk.header.size, chunk.data)
            lines += _lines_of(chunk, stream, data, skip, query)
    return lines


def _split(data: bytes) -> list[bytes]:
    # Not splitlines(): a carriage return is white space in JSON, not the end of a record.
    return data.split(b"\n")[:-1]


def _lines_of(chunk: Chunk, stream: StreamName, data: bytes, skip: int, query: LogQuery) -> list[LogLine]:
    lines: list[LogLine] = []
    agent = chunk.header.agent
    for number, raw in enumerate(_split(data)[skip:], start=skip):
        record = _record(raw, chunk)
        if query.wants_record(record):
            lines.append(
                LogLine(
                    cursor=f"{chunk.position}.{number}",
                    job=stream.job,
                    step=stream.step,
                    attempt=stream.attempt,
                    agent=agent,
                    time=record.time,
                    stream=record.stream,
                    text=record.text,
                    event=record.event,
                    data=record.data,
                    partial=record.partial,
                )
            )
    return lines


def _record(raw: bytes, chunk: Chunk) -> LogRecord:
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError:
        # Lines are checked when they come in, so only a damaged disk leads here: say so in the log's place.
        return LogRecord(
            time=chunk.header.received,
            stream=LogStreamKind.EVENT,
            event=LogEventKind.ERROR,
            text=f"a line of {len(raw)} bytes cannot be read: the log journal is damaged here",
        )
