"""The running server of this host and port: a locked file in the data directory says that, and which process, it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ._errors import ServerError
from .settings import Settings


class AlreadyRunning(ServerError):
    """The data directory has a living server of this host and port."""

    code = "already-running"


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A running server."""

    pid: int
    url: str
    started: datetime


def instance_file(settings: Settings) -> Path:
    """By host and port, because several servers may share the data directory."""
    return settings.data_dir / f"server-{socket.gethostname()}-{settings.port}.pid"


@contextlib.contextmanager
def registered(settings: Settings) -> Generator[Instance]:
    """Be the running server until the end. The lock, not the file, tells whether it lives: no crash leaves one behind.

    Raises AlreadyRunning, OSError.
    """
    path = instance_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        if not _lock(descriptor):
            raise AlreadyRunning(f"a Waterflow server already runs at {settings.url}; `waterflow server stop` ends it")
        instance = Instance(pid=os.getpid(), url=settings.url, started=datetime.now(UTC))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(instance), 0)
        yield instance
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def running(settings: Settings) -> Instance | None:
    """The server that runs with these settings, or None."""
    try:
        descriptor = os.open(instance_file(settings), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _lock(descriptor):
            return None
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Instance)
    except msgspec.MsgspecError:
        return None  # it is just starting, or just ending
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
