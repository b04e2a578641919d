"""What is kept, and what the agent's messages do with it."""

from __future__ import annotations

import errno
import os
import select
import time

from . import _protocol as wire
from ._attempt import Attempt
from ._process import Process
from ._spawn import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_IN = select.EPOLLIN


class Book:
    """Attempts by name, processes by serial number. ``watch`` and ``closing`` are the loop's, for descriptors."""

    def __init__(
        self, watch: Callable[[int, int, Callable[[int], None]], None], closing: Callable[[int], None]
    ) -> None:
        self._watch = watch
        self._closing = closing
        self._serial = 0
        self.attempts: dict[bytes, Attempt] = {}
        self.serials: dict[int, Process] = {}

    def due(self) -> float | None:
        """The earliest deadline of a fence."""
        return min((due for attempt in self.attempts.values() if (due := attempt.due()) is not None), default=None)

    def fence(self, now: float) -> None:
        """Ends what nobody has vouched for in time."""
        for attempt in self.attempts.values():
            attempt.fence(now)

    def alone(self) -> None:
        """The agent is gone."""
        for process in self.serials.values():
            process.sent = None
            self._read_on(process)

    def answer(self, kind: bytes, fields: list[bytes]) -> bytes:
        """Does what the agent asks. Raises ValueError for what is no message of an agent."""
        if kind == wire.HELLO:
            return self._list()
        if kind == wire.START:
            return self._start(fields)
        if kind == wire.RELEASE:
            self._release(fields[0])
        elif kind in (wire.NOTE, wire.FENCE):
            self._change(kind, *fields)
        elif kind in (wire.ATTACH, wire.TAKEN):
            self._take(kind, int(fields[0]), int(fields[1]))
        return b""

    def _start(self, fields: list[bytes]) -> bytes:
        request, name, context, note, key, grace, deadline, cwd, has_stdin, stdin, count, *words = fields
        argv, env = words[: int(count)], words[int(count) :]
        attempt = self.attempts.get(name)
        try:
            if attempt and attempt.fenced:
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            child = start(argv, env, cwd, stdin=has_stdin == b"1")
        except OSError as error:
            return wire.message(wire.FAILED, request, b"%d" % (error.errno or errno.EIO), _file_name(error))
        except ValueError:  # a NUL byte
            return wire.message(wire.FAILED, request, b"%d" % errno.EINVAL, b"")
        if attempt is None:
            attempt = Attempt(name, context, float(grace), float(deadline) if deadline else None)
            self.attempts[name] = attempt
        attempt.note = note
        self._serial += 1
        begun = time.clock_gettime(time.CLOCK_BOOTTIME)
        process = Process(self._serial, child, b"\0".join(argv), key, begun, self._closing)
        process.sent = 0
        process.unwritten = stdin
        attempt.processes.append(process)
        self.serials[process.serial] = process
        self._watch_all(process)
        return wire.message(wire.STARTED, request, b"%d" % process.serial, b"%d" % process.pid)

    def _watch_all(self, process: Process) -> None:
        for fd in process.outputs:
            self._watch_output(process, fd)
        self._watch(process.pidfd, _IN, lambda _events: process.exit())
        if process.stdin >= 0:
            process.write()
        if process.stdin >= 0:
            self._watch(process.stdin, select.EPOLLOUT, lambda _events: process.write())

    def _watch_output(self, process: Process, fd: int) -> None:
        def readable(_events: int) -> None:
            process.read(fd)
            if process.full and fd in process.outputs:
                self._closing(fd)  # until the agent has taken something

        self._watch(fd, _IN, readable)

    def _read_on(self, process: Process) -> None:
        for fd in process.outputs if not process.full else ():
            self._watch_output(process, fd)

    def _take(self, kind: bytes, serial: int, taken: int) -> None:
        process = self.serials.get(serial)
        if process is None:
            return
        process.forget_to(taken)
        if kind == wire.ATTACH:
            process.sent = process.taken
        self._read_on(process)

    def _change(self, kind: bytes, name: bytes, value: bytes) -> None:
        attempt = self.attempts.get(name)
        if attempt is None:
            return
        if kind == wire.NOTE:
            attempt.note = value
        elif not attempt.fenced:
            attempt.deadline = float(value)

    def _release(self, name: bytes) -> None:
        attempt = self.attempts.pop(name, None)
        if attempt is None:
            return
        attempt.kill()
        for process in attempt.processes:
            del self.serials[process.serial]
            process.let_go()

    def drop_all(self) -> None:
        """Nobody can come for anything any more."""
        for name in tuple(self.attempts):
            self._release(name)

    def _list(self) -> bytes:
        told = [wire.message(wire.WELCOME, wire.VERSION)]
        for attempt in self.attempts.values():
            deadline = b"" if attempt.deadline is None else wire.number(attempt.deadline)
            fenced = b"1" if attempt.fenced else b"0"
            told.append(wire.message(wire.ATTEMPT, attempt.name, attempt.context, attempt.note, deadline, fenced))
            told.extend(_told(attempt.name, process) for process in attempt.processes)
        told.append(wire.message(wire.LISTED))
        return b"".join(told)


def _told(attempt: bytes, process: Process) -> bytes:
    pid = b"" if process.reaped else b"%d" % process.pid
    begun, taken = wire.number(process.begun), b"%d" % process.taken
    return wire.message(wire.PROCESS, attempt, b"%d" % process.serial, pid, begun, process.key, taken, process.argv)


def _file_name(error: OSError) -> bytes:
    return os.fsencode(error.filename) if isinstance(error.filename, str | bytes) else b""
