"""One attempt whose processes are kept: it starts them at the keeper, or finds those of a former start of the agent."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from waterflow_sdk.node import NodeError, ProcessSink, StartedProcess
from waterflow_sdk.wire import NodeTask

from .. import _clock
from .._attempts import Attempt, Delivery
from .._held import Held, HeldProcess
from .._stop import StopReason
from ._link import Link, Start
from ._process import KeptProcess
from ._transcript import Transcript

FENCE_MARGIN = 1.0
"""Seconds that the agent has to end an attempt at its fence by itself, before the keeper does."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the next start of the agent needs to go on: in the keeper's memory, so nothing of it has to be sealed.

    ``task`` has its secrets. ``begun`` is the start as :func:`_clock.elapsed` counts, ``started`` as people do.
    """

    task: NodeTask
    started: datetime
    begun: float

    def attempt(self, held: Held) -> Attempt:
        """The attempt again. As long as nobody has confirmed it anew, it is as near to its fence as it was."""
        fence = self.task.fence_after
        contact = None
        if fence is not None and held.deadline is not None:
            contact = held.deadline - FENCE_MARGIN - fence
        delivery = msgspec.json.decode(held.note, type=Delivery) if held.note else Delivery()
        found = Attempt(self.task, delivery, started=self.started, begun=self.begun, contact=contact)
        found.held = held
        found.deliveries = 1
        return found


class KeptAttempt:
    """A :class:`waterflow_sdk.node.StartProcess` for one attempt; processes are numbered as they are asked for.

    Those of a node that is not ``resumable`` are kept for the fence alone: nothing is written down.
    """

    def __init__(self, attempt: Attempt, link: Link, directory: Path, max_bytes: int, *, resumable: bool) -> None:
        self.attempt = attempt
        self._resumable = resumable
        self._link = link
        self._directory = directory
        self._max_bytes = max_bytes
        self._name = str(attempt.key)
        self._count = 0
        self._transcripts: list[Transcript] = []
        self._noted = Delivery()
        self._vouched: float | None = None
        attempt.changed = self._changed

    async def __call__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes | None, sink: ProcessSink
    ) -> StartedProcess:
        """Starts it at the keeper. In an attempt that goes on, the processes that it had are found again first."""
        number, self._count = self._count, self._count + 1
        held = self.attempt.held
        if held and number < len(held.processes):
            return await self._again(number, held.processes[number], argv, sink)
        key = os.urandom(32)
        transcript = self._transcript(number, key)
        if self._resumable:
            transcript.create()
        process = KeptProcess(self._link, transcript, sink, self._fenced)
        task, self._noted, self._vouched = self.attempt.task, self.attempt.delivery, _deadline(self.attempt)
        start = Start(
            attempt=self._name,
            context=self._context() if number == 0 else b"",
            note=msgspec.json.encode(self._noted),
            key=key,
            grace=task.kill_grace,
            deadline=self._vouched,
        )
        serial, pid = await self._link.start(start, argv, env, cwd, stdin, process.events)
        process.began(serial, pid)
        self._changed()  # it may have been delivered anew meanwhile
        return process

    def forget(self) -> None:
        """The attempt is over, and its outcome is journalled."""
        self.attempt.changed = None
        self._link.release(self._name)
        for transcript in self._transcripts:
            transcript.remove()

    async def _again(self, number: int, held: HeldProcess, argv: Sequence[str], sink: ProcessSink) -> KeptProcess:
        if not self._same(held.argv.split(b"\0"), [os.fsencode(word) for word in argv]):
            raise NodeError(
                f"the step cannot go on: after the restart of the agent, process {number + 1} is asked for with other "
                "arguments than before; its node says that it is resumable, and is not",
                code="not-resumable",
            )
        if not self._link.open:
            raise ConnectionResetError(errno.ECONNRESET, "the keeper of its processes was killed")
        transcript = self._transcript(number, held.key)
        process = KeptProcess(self._link, transcript, sink, self._fenced)
        process.began(held.serial, held.pid, _clock.elapsed() - held.begun)
        await process.replay()
        if transcript.events < held.taken:
            raise OSError(errno.EIO, "what it printed before the restart of the agent cannot be read")
        self._link.attach(held.serial, transcript.events, process.events)
        self._changed()
        return process

    def _same(self, before: list[bytes], now: list[bytes]) -> bool:
        """What is put around a step of another user names variables, and the agent may have others now."""
        return before == now or (bool(self.attempt.task.run_as) and before[-1] == now[-1])

    def _fenced(self) -> None:
        self.attempt.stop(StopReason.FENCED, self.attempt.task.fence_after)

    def _transcript(self, number: int, key: bytes) -> Transcript:
        made = Transcript(transcript_path(self._directory, self._name, number), key, self._max_bytes)
        self._transcripts.append(made)
        return made

    def _context(self) -> bytes:
        attempt = self.attempt
        return msgspec.json.encode(Context(task=attempt.task, started=attempt.started, begun=attempt.begun))

    def _changed(self) -> None:
        """Delivered anew, or confirmed: the keeper has to know, should the agent be killed now."""
        if not self._count:
            return
        if self.attempt.delivery != self._noted:
            self._noted = self.attempt.delivery
            self._link.note(self._name, msgspec.json.encode(self._noted))
        until = _deadline(self.attempt)
        if until is not None and until != self._vouched:
            self._vouched = until
            self._link.fence(self._name, until)


def transcript_path(directory: Path, name: str, number: int) -> Path:
    """The file of an attempt's process."""
    return directory / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.{number}"


def _deadline(attempt: Attempt) -> float | None:
    fence = attempt.task.fence_after
    return None if fence is None else attempt.last_contact + fence + FENCE_MARGIN
