"""The process of the keeper: takes its place in the state directory, says that it is ready, serves."""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import sys
import time

from ._serve import Keeper

SOCKET = "keeper.sock"
"""Name of the socket in the state directory."""

LOCK = "keeper.lock"
"""Held by the keeper, so that there is one; its process id is in it."""

LOG = "keeper.log"
"""Where a defect of the keeper would leave its traceback."""

READY = b"ready\n"
"""What it prints when it listens."""

_LOCK_WITHIN = 5.0
_BACKLOG = 8


def main(directory: str) -> int:
    """Keeps processes, in the background, until nothing is left to do. Answers the exit code."""
    os.chdir(directory)
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _locked(lock):
        sys.stderr.write("another keeper holds the state directory\n")
        return 1
    if os.fork():
        return 0  # whoever started us need not wait for the keeper: it is nobody's child
    os.setsid()
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d" % os.getpid(), 0)
    place = os.getcwd()
    listener = _listen()
    os.chdir("/")
    os.write(1, READY)
    _redirect(1, "/dev/null")
    _redirect(2, f"{place}/{LOG}")
    Keeper(listener, f"{place}/{SOCKET}").run()
    return 0


def _locked(lock: int) -> bool:
    """A former keeper may be just about to end."""
    deadline = time.monotonic() + _LOCK_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _listen() -> _socket.socket:
    """Bound by its name alone, because paths of sockets are short (108 bytes, unix(7)). For this user only."""
    if SOCKET in os.listdir():  # of a keeper that was killed
        os.unlink(SOCKET)
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.setblocking(False)
    mask = os.umask(0o077)
    listener.bind(SOCKET)
    os.umask(mask)
    listener.listen(_BACKLOG)
    return listener


def _redirect(fd: int, path: str) -> None:
    target = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(target, fd)
    os.close(target)
