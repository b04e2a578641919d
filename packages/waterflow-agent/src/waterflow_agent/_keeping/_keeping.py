"""The keeper of this state directory, as the agent uses it: there when it is needed, and not longer."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from waterflow_sdk.wire import AttemptKey

from .._attempts import Attempt
from .._held import Held
from .._notices import Notices
from .._stop import StopReason
from ._attempt import KeptAttempt, transcript_path
from ._launch import connect, launch
from ._link import Link, OtherVersion
from ._transcript import stored_events

logger = logging.getLogger("waterflow.agent")

IDLE = 60.0
"""Seconds without a kept attempt after which the keeper is let go."""

_ANSWER_WITHIN = 10.0


class Keeping:
    """``directory`` is the state directory, ``max_bytes`` what a process may print and still be adopted.

    Where it is not ``wanted``, what was kept before is adopted and nothing new is kept.
    """

    def __init__(
        self, directory: Path, notices: Notices, max_bytes: int, *, wanted: bool = True, idle: float = IDLE
    ) -> None:
        self._wanted = wanted
        self._directory = directory
        self._transcripts = directory / "transcripts"
        self._notices = notices
        self._max_bytes = max_bytes
        self._idle = idle
        self._link: Link | None = None
        self._found: Link | None = None
        self._kept: dict[str, KeptAttempt] = {}
        self._starting = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    async def find(self) -> list[Held]:
        """What the keeper has of a former start of this agent. Never raises: without it, nothing is adopted."""
        held: list[Held] = []
        try:
            found = connect(self._directory) if sys.platform == "linux" else None
            if found:
                held = await self._use(found)
                self._found = self._link
        except (OSError, TimeoutError) as error:
            logger.warning("processes of a former start of this agent cannot be adopted: %s", error)
        self._clean({each.name for each in held})
        return held

    def whole(self, held: Held) -> bool:
        """Whether all that the processes printed can be given to the node again."""
        return all(
            stored_events(transcript_path(self._transcripts, held.name, number)) >= process.taken
            for number, process in enumerate(held.processes)
        )

    async def attempt(self, attempt: Attempt, *, resumable: bool) -> KeptAttempt | None:
        """Has the processes of this attempt kept, if the agent's death must not be theirs or has to be. None where
        that is neither needed nor possible: then they are children of the agent.
        """
        if attempt.held:
            return self._again(attempt)
        if not self._wanted or not (resumable or attempt.task.fence_after is not None):
            return None
        try:
            link = await self._linked()
        except (OSError, TimeoutError) as error:
            text = f"steps do not survive a restart of this agent: {error.strerror or error}"
            self._notices.say("keeper", logging.WARNING, text)
            return None
        self._notices.clear("keeper", "steps survive a restart of this agent again")
        return self._keep(attempt, link, resumable=resumable)

    def release(self, key: AttemptKey) -> None:
        """The attempt is over, and its outcome is journalled."""
        kept = self._kept.pop(str(key), None)
        if kept:
            kept.forget()
            self._rest()

    def drop(self, held: Held) -> None:
        """What was found is not to go on: what may still run of it is killed."""
        if self._link:
            self._link.release(held.name)
        self._remove(held.name)
        self._rest()

    def end(self) -> None:
        """The agent ends in order. What is still kept then ends at once."""
        for kept in self._kept.values():
            kept.forget()
        self._kept.clear()
        self.close()

    def close(self) -> None:
        """Leaves the keeper, as the death of the agent would: what is still kept lives on."""
        if self._timer:
            self._timer.cancel()
        if self._link:
            self._link.close()
            self._link = None

    def _again(self, attempt: Attempt) -> KeptAttempt:
        """It must never be started anew, so where its keeper is gone it is as good as lost."""
        link = self._found
        if link is None or not link.open:
            attempt.stop(StopReason.KEEPER_LOST)
        if link is None:
            raise RuntimeError(f"{attempt.key} was found at no keeper")
        return self._keep(attempt, link, resumable=True)

    def _keep(self, attempt: Attempt, link: Link, *, resumable: bool) -> KeptAttempt:
        kept = KeptAttempt(attempt, link, self._transcripts, self._max_bytes, resumable=resumable)
        self._kept[str(attempt.key)] = kept
        return kept

    async def _linked(self) -> Link:
        async with self._starting:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            if self._link is None:
                self._transcripts.mkdir(exist_ok=True, mode=0o700)
                await self._use(await asyncio.to_thread(launch, self._directory))
            assert self._link is not None
            return self._link

    async def _use(self, found: socket.socket) -> list[Held]:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: Link(self._lost), sock=found)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                held = await link.held()
        except (OtherVersion, TimeoutError) as error:
            self._end(link)
            raise OSError(0, "the keeper of processes is of another version of this agent") from error
        self._link = link
        return held

    def _end(self, link: Link) -> None:
        """What it held is ended as after any loss."""
        pid = link.peer()
        link.close()
        if pid:
            os.kill(pid, signal.SIGKILL)

    def _lost(self) -> None:
        """It was killed, and nobody can say how its processes end: as if the agent had been killed without it."""
        self._link = None
        kept, self._kept = self._kept, {}
        if kept:
            logger.error("the keeper of processes was killed; %d steps are ended", len(kept))
        for each in kept.values():
            each.attempt.stop(StopReason.KEEPER_LOST)

    def _rest(self) -> None:
        if not self._kept and self._link and not self._timer:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._let_go)

    def _let_go(self) -> None:
        self._timer = None
        if not self._kept:
            self.close()

    def _clean(self, names: set[str]) -> None:
        """Transcripts that nobody can read any more."""
        wanted = {transcript_path(self._transcripts, name, 0).stem for name in names}
        for path in self._transcripts.glob("*"):
            if path.stem not in wanted:
                path.unlink(missing_ok=True)

    def _remove(self, name: str) -> None:
        for path in self._transcripts.glob(transcript_path(self._transcripts, name, 0).stem + ".*"):
            path.unlink(missing_ok=True)
