"""What a kept process printed and how it ended, event by event, so that a node can be given it again.

It is raw output, before masking, so it is sealed: with a key of its own that is in the memory of the keeper and of the
agent and nowhere else. When the keeper forgets the process, nobody can read the file any more.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from waterflow_sdk.codec import CodecError, KeyRing, PayloadCodec

logger = logging.getLogger("waterflow.agent")

_NEVER = 1 << 62
_NAME = "transcript"
_META = {"key": _NAME.encode()}
_RECORD = 8
_HEAD = 5

Event = tuple[bytes, bytes]
"""What and data, as the keeper says them."""


class Transcript:
    """One file of records: length and count of events (4 bytes each, big endian), then the events, sealed together.
    May be given up: a full disk or too much output costs the step its adoption and nothing else.
    """

    def __init__(self, path: Path, key: bytes, max_bytes: int) -> None:
        self._path = path
        self._codec = PayloadCodec(KeyRing(active=_NAME, keys={_NAME: key}), compress_above=_NEVER)
        self._max_bytes = max_bytes
        self._fd = -1
        self._length = 0
        self.events = 0
        """How many are in the file."""

    @property
    def whole(self) -> bool:
        """Whether the file has all events so far."""
        return self._fd >= 0

    def create(self) -> None:
        """Begins an empty file."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with self._giving_up():
            self._fd = os.open(self._path, flags, 0o600)

    def append(self, events: Sequence[Event]) -> None:
        """Adds events, as one record."""
        if self._fd < 0:
            return
        plain = b"".join([len(data).to_bytes(4, "big") + what + data for what, data in events])
        sealed = self._codec.seal(plain).data
        record = len(sealed).to_bytes(4, "big") + len(events).to_bytes(4, "big") + sealed
        with self._giving_up():
            if self._length + len(record) > self._max_bytes:
                raise OSError(0, f"it would be longer than {self._max_bytes:,} bytes")
            if os.write(self._fd, record) < len(record):
                raise OSError(0, "the disk is full")
            self._length += len(record)
            self.events += len(events)

    def read(self) -> Iterator[Event]:
        """Opens a file of a former start of the agent: its events. A last one that was cut is cut away."""
        with contextlib.suppress(FileNotFoundError):
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        while self._fd >= 0:
            plain = self._next()
            if plain is None:
                os.ftruncate(self._fd, self._length)
                return
            at = 0
            while at < len(plain):
                end = at + _HEAD + int.from_bytes(plain[at : at + 4], "big")
                self.events += 1
                yield plain[at + 4 : at + _HEAD], plain[at + _HEAD : end]
                at = end

    def remove(self) -> None:
        """It is needed no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._path.unlink(missing_ok=True)

    def _next(self) -> bytes | None:
        head = os.pread(self._fd, _RECORD, self._length)
        size = int.from_bytes(head[:4], "big")
        sealed = os.pread(self._fd, size, self._length + _RECORD)
        if len(head) < _RECORD or len(sealed) < size:
            return None
        try:
            plain = self._codec.open(sealed, _META)
        except CodecError:
            return None
        self._length += _RECORD + size
        return plain

    @contextlib.contextmanager
    def _giving_up(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            logger.warning("a step will not survive a restart of the agent: %s: %s", self._path.name, error.strerror)
            with contextlib.suppress(OSError):
                self.remove()


def stored_events(path: Path) -> int:
    """How many whole events a file has; none if it is not there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        length, at, count = os.fstat(fd).st_size, 0, 0
        while at + _RECORD <= length:
            head = os.pread(fd, _RECORD, at)
            at += _RECORD + int.from_bytes(head[:4], "big")
            if at <= length:
                count += int.from_bytes(head[4:], "big")
        return count
    finally:
        os.close(fd)
