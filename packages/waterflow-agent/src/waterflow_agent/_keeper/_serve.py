"""The keeper's loop: one agent at a time, the processes that it started, and those of its former starts."""

from __future__ import annotations

import _socket
import os
import select
import time

from ._book import Book
from ._protocol import EVENT, Inbox, message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIRST_AGENT_WITHIN = 10.0
"""Seconds until the agent that started the keeper must have come."""

LOOK_EVERY = 30.0
"""Seconds between looks whether the state directory is still there, while no agent is."""

FORGOTTEN_AFTER = 7 * 86400.0
"""Seconds without an agent after which none can go on with anything: its journal forgets then."""

_READ = 256 * 1024
_BATCH = 256 * 1024  # bytes that are packed for the agent at once


class Keeper:
    """Serves the socket at ``place`` until there is no agent and nothing to keep."""

    def __init__(self, listener: _socket.socket, place: str) -> None:
        self._place = place
        self._listener = listener
        self._agent: _socket.socket | None = None
        self._inbox = Inbox()
        self._outbox = bytearray()
        self._waits = False
        self._poll = select.epoll()
        self._on: dict[int, Callable[[int], None]] = {}
        self._book = Book(self._watch, self._closing)
        self._left = now()
        self._patience = now() + FIRST_AGENT_WITHIN
        self._watch(listener.fileno(), select.EPOLLIN, self._accept)

    def run(self) -> None:
        """Until there is nothing more to do, or no agent can come: then what is kept is killed."""
        while self._wanted():
            for fd, events in self._poll.poll(self._pause()):
                handler = self._on.get(fd)
                if handler:
                    handler(events)
            self._book.fence(now())
            self._send()
        self._book.drop_all()
        if os.path.exists(self._place):
            os.unlink(self._place)

    def _wanted(self) -> bool:
        if self._agent is not None or now() < self._patience:
            return True
        if now() - self._left > FORGOTTEN_AFTER:
            return False
        return bool(self._book.attempts) and os.path.exists(self._place)

    def _pause(self) -> float | None:
        due = self._book.due()
        if self._agent is None:
            look = now() + LOOK_EVERY if self._book.attempts else self._patience
            due = look if due is None else min(due, look)
        return None if due is None else max(due - now(), 0.0)

    def _watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        if fd in self._on:
            self._poll.modify(fd, events)
        else:
            self._poll.register(fd, events)
        self._on[fd] = handler

    def _closing(self, fd: int) -> None:
        if self._on.pop(fd, None):
            self._poll.unregister(fd)

    def _accept(self, _events: int) -> None:
        """The newest agent counts: it holds the lock of the state directory."""
        fd = _accepted(self._listener)
        self._leave()
        self._agent = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, fd)
        self._agent.setblocking(False)
        self._inbox, self._outbox, self._waits = Inbox(), bytearray(), False
        self._watch(fd, select.EPOLLIN, self._receive)

    def _leave(self) -> None:
        if self._agent:
            self._closing(self._agent.fileno())
            self._agent.close()
            self._agent, self._patience, self._left = None, 0.0, now()
            self._book.alone()

    def _receive(self, events: int) -> None:
        if self._agent is None:
            return
        try:
            data = self._agent.recv(_READ) if events & ~select.EPOLLOUT else b"\0"
            if events & ~select.EPOLLOUT:
                for kind, fields in self._inbox.feed(data):
                    self._outbox += self._book.answer(kind, fields)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            data = b""
        if not data:
            self._leave()

    def _send(self) -> None:
        """Hands the agent what it has not been sent, as fast as it takes it."""
        while self._agent is not None:
            if not self._outbox:
                self._fill()
            if not self._outbox:
                self._wait_to_send(self._agent, waits=False)
                return
            try:
                del self._outbox[: self._agent.send(self._outbox)]
            except BlockingIOError:
                self._wait_to_send(self._agent, waits=True)
                return
            except OSError:
                self._leave()

    def _wait_to_send(self, agent: _socket.socket, *, waits: bool) -> None:
        if waits != self._waits:
            self._waits = waits
            self._watch(agent.fileno(), select.EPOLLIN | (select.EPOLLOUT if waits else 0), self._receive)

    def _fill(self) -> None:
        for process in self._book.serials.values():
            while process.sent is not None and process.sent < process.taken + len(process.events):
                what, data = process.events[process.sent - process.taken]
                self._outbox += message(EVENT, b"%d" % process.serial, what, data)
                process.sent += 1
                if len(self._outbox) >= _BATCH:
                    return


def _accepted(listener: Any) -> int:
    """The built-in module's own ``accept``: what the module ``socket`` makes of it costs a megabyte."""
    fd, _address = listener._accept()
    return fd


def now() -> float:
    """Seconds of a clock that never jumps and counts the time a host was suspended; the agent's is the same."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
