"""One kept process, as the node's context sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from waterflow_sdk.node import ProcessSink

from .._keeper._protocol import CLOSED, EXITED, FENCED
from ._link import Link
from ._transcript import Event, Transcript

_TELL_AFTER = 256 * 1024
"""Bytes of output after which the keeper is told that they are written down."""

_TURN = 1024 * 1024
"""Bytes of a transcript that are read before others have their turn."""


class KeptProcess:
    """A :class:`waterflow_sdk.node.StartedProcess`. Each event is written to the transcript before it is acted on.

    ``fenced`` is called when the keeper ended it because nobody had confirmed the attempt in time.
    """

    def __init__(self, link: Link, transcript: Transcript, sink: ProcessSink, fenced: Callable[[], None]) -> None:
        self._fenced = fenced
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

    def events(self, events: Sequence[Event]) -> None:
        """Events from the keeper, in order."""
        self._transcript.append(events)
        self._seen += len(events)
        self._untold += sum(len(data) for _, data in events)
        if self._untold >= _TELL_AFTER:
            self._untold = 0
            self._link.taken(self._serial, self._seen)
        for what, data in events:
            self._act(what, data)

    def close(self) -> None:
        """Reads no more of its output."""
        self._sink = None
        self._link.leave(self._serial)

    def _act(self, what: bytes, data: bytes) -> None:
        if what == EXITED:
            self.code = int(data.removesuffix(FENCED))
            if data.endswith(FENCED):
                self._fenced()
        if self._sink is None:
            return
        if what == EXITED:
            self._sink.process_exited()
        elif what == CLOSED:
            self._sink.pipe_connection_lost(int(data), None)
        else:
            self._sink.pipe_data_received(int(what), data)
