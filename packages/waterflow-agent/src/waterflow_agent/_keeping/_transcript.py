"""What a kept process printed and how it ended, event by event, so that a node can be given it again.

It is raw output, before masking, so it is sealed: with a key of its own that is in the memory of the keeper and of the
agent and nowhere else. When the keeper forgets the process, nobody can read the file any more.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

from waterflow_sdk.codec import CodecError, KeyRing, PayloadCodec

logger = logging.getLogger("waterflow.agent")

_NEVER = 1 << 62
_NAME = "transcript"
_META = {"key": _NAME.encode()}


class Transcript:
    """One file; a record is its length (4 bytes, big endian) and the sealed event. May be given up: a full disk or too
    much output costs the step its adoption and nothing else.
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

    def append(self, what: bytes, data: bytes) -> None:
        """Adds an event."""
        if self._fd < 0:
            return
        sealed = self._codec.seal(what + data).data
        record = len(sealed).to_bytes(4, "big") + sealed
        with self._giving_up():
            if self._length + len(record) > self._max_bytes:
                raise OSError(0, f"it would be longer than {self._max_bytes:,} bytes")
            if os.write(self._fd, record) < len(record):
                raise OSError(0, "the disk is full")
            self._length += len(record)
            self.events += 1

    def read(self) -> Iterator[tuple[bytes, bytes]]:
        """Opens a file of a former start of the agent: its events. A last one that was cut is cut away."""
        with contextlib.suppress(FileNotFoundError):
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        while self._fd >= 0:
            event = self._next()
            if event is None:
                os.ftruncate(self._fd, self._length)
                return
            yield event[:1], event[1:]

    def remove(self) -> None:
        """It is needed no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._path.unlink(missing_ok=True)

    def _next(self) -> bytes | None:
        head = os.pread(self._fd, 4, self._length)
        size = int.from_bytes(head, "big")
        sealed = os.pread(self._fd, size, self._length + 4)
        if len(head) < 4 or len(sealed) < size:
            return None
        try:
            event = self._codec.open(sealed, _META)
        except CodecError:
            return None
        self._length += 4 + size
        self.events += 1
        return event

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
        while at + 4 <= length:
            at += 4 + int.from_bytes(os.pread(fd, 4, at), "big")
            count += at <= length
        return count
    finally:
        os.close(fd)
