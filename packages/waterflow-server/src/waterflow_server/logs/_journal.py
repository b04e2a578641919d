"""The journal of a run's log on disk: one append-only file, chunk after chunk.

A chunk is one line of JSON, the *header* (stream, offset in the stream, number of bytes, agent, time of arrival), and
then that many bytes of NDJSON, whole lines. A chunk is written with one ``write`` under an exclusive lock of the file,
so that several servers may share it. A crash can only leave a *torn* chunk at the end: readers do not see it, the next
writer cuts it off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from ._store import JournalDamaged

MAX_HEADER_BYTES = 8192


class ChunkHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The header line. ``stream`` is the name without the run: ``<job instance>/<step path>.<attempt>``."""

    stream: str = msgspec.field(name="s")
    offset: int = msgspec.field(name="o")
    size: int = msgspec.field(name="n")
    agent: str = msgspec.field(name="a")
    received: datetime = msgspec.field(name="t")


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A complete chunk in the file: where its header, its data and the next chunk begin, in bytes."""

    position: int
    data: int
    end: int
    header: ChunkHeader


_decoder = msgspec.json.Decoder(ChunkHeader)


def encode_chunk(header: ChunkHeader, data: bytes) -> bytes:
    """The bytes of a chunk."""
    return msgspec.json.encode(header) + b"\n" + data


@contextmanager
def open_locked(path: Path) -> Generator[int]:
    """Open the journal for appending, made when it is not there, and hold its lock; blocks while another has it."""
    descriptor = _open_locked(path)
    while descriptor is None:
        descriptor = _open_locked(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_locked(path: Path) -> int | None:
    """None when the file was removed while its lock was waited for."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def scan(descriptor: int, position: int, size: int) -> Iterator[Chunk]:
    """The complete chunks between ``position`` and ``size``; stops before a torn one. Raises JournalDamaged."""
    while position < size:
        chunk = _chunk_at(descriptor, position, size)
        if chunk is None:
            return
        yield chunk
        position = chunk.end


def _chunk_at(descriptor: int, position: int, size: int) -> Chunk | None:
    head = os.pread(descriptor, MAX_HEADER_BYTES, position)
    line, newline, _ = head.partition(b"\n")
    if not newline:
        if len(head) == MAX_HEADER_BYTES and head.strip(b"\0"):
            raise _damaged(position, "no header")
        return None
    try:
        header = _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise _damaged(position, str(error)) from error
    data = position + len(line) + 1
    if header.size < 0 or header.offset < 0:
        raise _damaged(position, "a negative number")
    if data + header.size > size:
        return None
    return Chunk(position=position, data=data, end=data + header.size, header=header)


def _damaged(position: int, reason: str) -> JournalDamaged:
    return JournalDamaged(
        f"the log journal is damaged at byte {position} ({reason}); move the file away to go on with an empty log",
        {"position": position},
    )
