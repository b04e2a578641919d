"""One process that is kept: its pipes are read into events, which stay until the agent has them."""

from __future__ import annotations

import os

from ._protocol import CLOSED, EXITED, FENCED, OUTPUT
from ._spawn import Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_AWAY = 16 * 1024 * 1024
"""Bytes of output that are held while no agent listens. Beyond that nothing is read: the process waits, as it would
before a terminal that was stopped."""

MOST_LIVE = 1024 * 1024
"""The same while one does: what is held then is only on its way."""

_READ = 64 * 1024
_AT_EXIT = 1024 * 1024  # the most that a pipe holds: what was printed before the end comes before it


class Process:
    """Events count from 0; those up to :attr:`taken` are forgotten."""

    def __init__(
        self, serial: int, child: Child, argv: bytes, key: bytes, begun: float, closing: Callable[[int], None]
    ) -> None:
        self._closing = closing
        self.serial = serial
        self.pid = child.pid
        self.argv = argv
        self.key = key
        self.begun = begun
        self.pidfd = child.pidfd
        self.outputs = child.outputs
        self.stdin = child.stdin
        self.unwritten = b""
        self.taken = 0
        self.events: list[tuple[bytes, bytes]] = []
        self.size = 0
        self.sent: int | None = None
        """Events that the agent was sent; None: it does not listen."""
        self.fenced = False
        self.ended = False
        self.reaped = False

    @property
    def full(self) -> bool:
        """Whether nothing more is read for now."""
        return self.size >= (MOST_AWAY if self.sent is None else MOST_LIVE)

    def read(self, fd: int) -> bool:
        """Reads what there is, up to a bound; False if that was all for now. At its end the pipe is closed."""
        stream = self.outputs[fd]
        found, more = _read(fd)
        if found:
            self._add(OUTPUT[stream], found)
        if more is None:
            del self.outputs[fd]
            self._add(CLOSED, b"%d" % stream)
            self._close(fd)
        return bool(more)

    def write(self) -> None:
        """Writes what standard input takes, and closes it when that is all."""
        try:
            self.unwritten = self.unwritten[os.write(self.stdin, self.unwritten) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.unwritten = b""  # it reads no more
        if not self.unwritten:
            self._close(self.stdin)
            self.stdin = -1

    def exit(self) -> None:
        """If the process has ended: what it printed comes first.

        While no agent listens it stays a zombie: so its number cannot become another's before the agent has seen it.
        """
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if found is None:  # the event was for another descriptor that had this number
            return
        for fd in tuple(self.outputs):
            for _turn in range(_AT_EXIT // _READ):
                if not self.read(fd):
                    break
        code = b"%d" % (found.si_status if found.si_code == os.CLD_EXITED else -found.si_status)
        self._add(EXITED, code + FENCED if self.fenced else code)
        self.ended = True
        if self.sent is not None:
            self._reap()
        self._close(self.pidfd)

    def forget_to(self, taken: int) -> None:
        """The agent has these."""
        for _what, data in self.events[: max(taken - self.taken, 0)]:
            self.size -= len(data)
        del self.events[: max(taken - self.taken, 0)]
        self.taken = max(taken, self.taken)

    def let_go(self) -> None:
        """Nobody will ask for it again: a zombie is collected, and one that is yet to end will be."""
        self._close_pipes()
        self.sent = self.taken
        if self.ended and not self.reaped:
            self._reap()

    def _reap(self) -> None:
        os.waitpid(self.pid, 0)
        self.reaped = True

    def _close_pipes(self) -> None:
        for fd in self.outputs:
            self._close(fd)
        self.outputs = {}
        if self.stdin >= 0:
            self._close(self.stdin)
            self.stdin = -1

    def _add(self, what: bytes, data: bytes) -> None:
        self.events.append((what, data))
        self.size += len(data)

    def _close(self, fd: int) -> None:
        self._closing(fd)
        os.close(fd)


def _read(fd: int) -> tuple[bytes, bool | None]:
    """What a pipe holds, in one piece: many small writes become one event. And whether there may be more; None: never
    again.
    """
    parts: list[bytes] = []
    size = 0
    while size < _READ:
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return b"".join(parts), False
        if not data:
            return b"".join(parts), None
        parts.append(data)
        size += len(data)
    return b"".join(parts), True
