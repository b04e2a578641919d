"""Processes of a step that left its process groups, such as daemons: they end with the step as well.

A process that is to outlive its step belongs to a service manager or a container engine: neither passes the mark on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from waterflow_sdk.wire import AttemptKey

from . import _clock
from ._confinement import Reach
from ._end_processes import Send, end_processes, send_signal
from ._process_table import belonging_to, group_of, last_pid, started_at

logger = logging.getLogger("waterflow.agent")

_ROUNDS = 20
_SURE = 60.0  # seconds in which process ids do not go round a whole time, even where there are only 32,768


class Strays:
    """The processes of one attempt that nobody waits for. ``reach`` leads to those of another user."""

    def __init__(self, key: AttemptKey, grace: float, reach: Reach | None = None) -> None:
        self._key = key
        self._grace = grace
        self._reach = reach
        self._send: Send = reach.send if reach else send_signal
        self._groups: dict[int, int] = {}
        self._begun = _clock.elapsed()

    def began(self, group: int) -> int:
        """A process group of the attempt; answers when its leader started, as the kernel counts."""
        started = self._groups[group] = started_at(group)
        return started

    def found(self, groups: Iterable[int]) -> None:
        """Process groups of a former incarnation: so long ago that ids may have gone round, and all are looked at."""
        self._groups[0] = 0
        for group in groups:
            self.began(group)

    async def stop(self) -> None:
        """Ends those outside the groups, while somebody else ends the groups: TERM, grace, KILL."""
        if self._groups:
            found = [pid for pid in await self._find(thorough=True) if group_of(pid) not in self._groups]
            await end_processes(found, self._grace, self._send)

    async def end(self, *, stopped: bool) -> None:
        """Ends all, when the groups have ended. ``stopped``: they had their grace before, and :meth:`stop` was called.

        Looks again after each round: what was ended may have started something meanwhile.
        """
        grace = 0.0 if stopped else self._grace
        for _round in range(_ROUNDS if self._groups else 0):
            found = await self._find(thorough=stopped)
            if not found:
                return
            logger.info("ending %d processes that %s left behind", len(found), self._key)
            await end_processes(found, grace, self._send)
            grace = 0.0
        if self._groups:
            logger.error("processes of %s cannot be ended", self._key)

    async def _find(self, *, thorough: bool) -> list[int]:
        """A child's id is greater than its ancestor's, unless ids began again: few processes have to be looked at."""
        first = next(iter(self._groups))
        near = not thorough and _clock.elapsed() - self._begun < _SURE and last_pid() >= first
        keys = {str(self._key)}
        found = await asyncio.to_thread(belonging_to, keys, self._groups, first - 1 if near else 0)
        return sorted({*found, *await self._reach.marked(keys)}) if self._reach else found
