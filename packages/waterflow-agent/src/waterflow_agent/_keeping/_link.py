"""The connection to the keeper: requests and their answers, and the events of its processes."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from .._held import Held, HeldProcess
from .._keeper import _protocol as wire

OnEvents = Callable[[list[tuple[bytes, bytes]]], None]
"""Takes what and data of events, as they come."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Whose process is started. ``context`` is given with the first one of an attempt, ``note`` with each."""

    attempt: str
    context: bytes
    note: bytes
    key: bytes
    grace: float
    deadline: float | None


class OtherVersion(Exception):
    """The keeper is of another version of the agent and cannot be talked to."""


class Link(asyncio.Protocol):
    """One connection. ``lost`` is called when it ends without :meth:`close`: then the keeper was killed."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._inbox = wire.Inbox()
        self._transport: asyncio.Transport | None = None
        self._requests: dict[int, tuple[asyncio.Future[tuple[int, int]], OnEvents]] = {}
        self._next = 0
        self._listening: dict[int, OnEvents] = {}
        self._held: dict[str, Held] = {}
        self._listed: asyncio.Future[list[Held]] = asyncio.get_running_loop().create_future()

    @property
    def open(self) -> bool:
        """Whether the keeper is there."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: greets."""
        self._transport = cast("asyncio.Transport", transport)
        self._send(wire.HELLO, wire.VERSION)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the keeper is gone."""
        gone = ConnectionResetError(errno.ECONNRESET, "the keeper of processes was killed")
        gone.__cause__ = exc
        was_open, self._transport = self._transport is not None, None
        waiting = [future for future, _ in self._requests.values()]
        for future in (self._listed, *waiting):
            if not future.done():
                future.set_exception(gone)
                future.exception()  # it may be that nobody waits
        if was_open:
            self._lost()

    def data_received(self, data: bytes) -> None:
        """asyncio: messages of the keeper."""
        events: dict[int, list[tuple[bytes, bytes]]] = {}
        for kind, fields in self._inbox.feed(data):
            if kind == wire.EVENT:
                events.setdefault(int(fields[0]), []).append((fields[1], fields[2]))
            elif kind in (wire.STARTED, wire.FAILED):
                self._answered(kind, *fields)
            else:
                self._list(kind, fields)
        for serial, batch in events.items():
            listener = self._listening.get(serial)
            if listener:
                listener(batch)

    async def held(self) -> list[Held]:
        """What the keeper has from before this connection. Raises OSError, OtherVersion."""
        return await self._listed

    async def start(
        self,
        own: Start,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        stdin: bytes | None,
        listener: OnEvents,
    ) -> tuple[int, int]:
        """Starts a process: its serial number and its id. Raises OSError, ValueError as a start does."""
        words, pairs = [os.fsencode(word) for word in argv], [os.fsencode(f"{name}={env[name]}") for name in env]
        if any(b"\0" in text for text in (*words, *pairs)):
            raise ValueError("embedded null byte")
        self._next += 1
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._requests[self._next] = future, listener
        until = b"" if own.deadline is None else wire.number(own.deadline)
        given = (b"0" if stdin is None else b"1", stdin or b"", b"%d" % len(words))
        head = (b"%d" % self._next, own.attempt.encode(), own.context, own.note, own.key, wire.number(own.grace))
        self._send(wire.START, *head, until, os.fsencode(cwd), *given, *words, *pairs)
        return await future

    def attach(self, serial: int, have: int, listener: OnEvents) -> None:
        """From now on gets the events of a held process, from this index on."""
        self._listening[serial] = listener
        self._send(wire.ATTACH, b"%d" % serial, b"%d" % have)

    def taken(self, serial: int, have: int) -> None:
        """Events below this index need not be held any more."""
        self._send(wire.TAKEN, b"%d" % serial, b"%d" % have)

    def leave(self, serial: int) -> None:
        """Events of the process are not wanted any more."""
        self._listening.pop(serial, None)

    def note(self, attempt: str, note: bytes) -> None:
        """Lets the keeper remember something of the attempt."""
        self._send(wire.NOTE, attempt.encode(), note)

    def fence(self, attempt: str, deadline: float) -> None:
        """Unless told again, the keeper ends the attempt at this time (of :func:`_clock.elapsed`)."""
        self._send(wire.FENCE, attempt.encode(), wire.number(deadline))

    def release(self, attempt: str) -> None:
        """The attempt is over."""
        self._send(wire.RELEASE, attempt.encode())

    def close(self) -> None:
        """Leaves the keeper; it ends if it has nothing to keep."""
        transport, self._transport = self._transport, None
        if transport:
            transport.close()

    def peer(self) -> int:
        """Process id of the keeper (SO_PEERCRED, unix(7))."""
        import socket
        import struct

        sock = self._transport.get_extra_info("socket") if self._transport else None
        if sock is None:
            return 0
        return struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def _send(self, kind: bytes, *fields: bytes) -> None:
        if self._transport:
            self._transport.write(wire.message(kind, *fields))

    def _answered(self, kind: bytes, request: bytes, *fields: bytes) -> None:
        future, listener = self._requests.pop(int(request))
        if kind == wire.FAILED:
            number, name = int(fields[0]), os.fsdecode(fields[1])
            future.set_exception(OSError(number, os.strerror(number), name))
        else:
            self._listening[int(fields[0])] = listener
            future.set_result((int(fields[0]), int(fields[1])))

    def _list(self, kind: bytes, fields: list[bytes]) -> None:
        if kind == wire.WELCOME and fields[0] != wire.VERSION:
            self._listed.set_exception(OtherVersion(fields[0].decode(errors="replace")))
        elif kind == wire.ATTEMPT:
            held = _attempt(*fields)
            self._held[held.name] = held
        elif kind == wire.PROCESS:
            self._held[fields[0].decode()].processes.append(_process(*fields[1:]))
        elif kind == wire.LISTED and not self._listed.done():
            self._listed.set_result(list(self._held.values()))


def _attempt(name: bytes, context: bytes, note: bytes, deadline: bytes, fenced: bytes) -> Held:
    return Held(
        name=name.decode(),
        context=context,
        note=note,
        deadline=float(deadline) if deadline else None,
        fenced=fenced == b"1",
        processes=[],
    )


def _process(serial: bytes, pid: bytes, begun: bytes, key: bytes, taken: bytes, argv: bytes) -> HeldProcess:
    return HeldProcess(
        serial=int(serial),
        pid=int(pid) if pid else None,
        begun=float(begun),
        key=key,
        taken=int(taken),
        argv=argv,
    )
