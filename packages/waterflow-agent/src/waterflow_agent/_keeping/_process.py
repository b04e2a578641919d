"""One kept process, as the node's context sees it."""

from __future__ import annotations

import asyncio

from waterflow_sdk.node import ProcessSink

from .._keeper._protocol import CLOSED, EXITED
from ._link import Link
from ._transcript import Transcript

_TELL_AFTER = 256 * 1024
"""Bytes of output after which the keeper is told that they are written down."""

_TURN = 1024 * 1024
"""Bytes of a transcript that are read before others have their turn."""


class KeptProcess:
    """A :class:`waterflow_sdk.node.StartedProcess`. Each event is written to the transcript before it is acted on."""

    def __init__(self, link: Link, transcript: Transcript, sink: ProcessSink) -> None:
        self._link = link
        self._transcript = transcript
        self._sink: ProcessSink | None = sink
        self._serial = 0
        self._seen = 0
        self._untold = 0
        self.group: int | None = None
        self.age = 0.0
        self.code: int | None = None

    def began(self, serial: int, group: int | None, age: float = 0.0) -> None:
        """The keeper has it."""
        self._serial, self.group, self.age = serial, group, age

    async def replay(self) -> None:
        """Acts on what the transcript has of it."""
        read = 0
        for what, data in self._transcript.read():
            self._seen += 1
            self._act(what, data)
            read += len(data)
            if read >= _TURN:
                read = 0
                await asyncio.sleep(0)

    def event(self, index: int, what: bytes, data: bytes) -> None:
        """An event from the keeper."""
        if index != self._seen:
            return
        self._transcript.append(what, data)
        self._seen += 1
        self._untold += len(data)
        if self._untold >= _TELL_AFTER:
            self._untold = 0
            self._link.taken(self._serial, self._seen)
        self._act(what, data)

    def close(self) -> None:
        """Reads no more of its output."""
        self._sink = None
        self._link.leave(self._serial)

    def _act(self, what: bytes, data: bytes) -> None:
        if what == EXITED:
            self.code = int(data)
        if self._sink is None:
            return
        if what == EXITED:
            self._sink.process_exited()
        elif what == CLOSED:
            self._sink.pipe_connection_lost(int(data), None)
        else:
            self._sink.pipe_data_received(int(what), data)
