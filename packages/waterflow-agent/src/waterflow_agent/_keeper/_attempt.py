"""One attempt whose processes are kept, and its fence: the deadline by which somebody must have vouched for it."""

from __future__ import annotations

import os

from .._process_table import belonging_to, same, started_at
from ._process import Process

_TERM, _KILL = 15, 9
_AGAIN = 0.05  # seconds between looks at what is being ended
_STUBBORN = 5.0  # and for what survives a KILL for so long: another user's, or in a call that cannot be interrupted


class Attempt:
    """``name`` is its key as text, which its processes carry as their mark. ``grace``: seconds from TERM to KILL."""

    def __init__(self, name: bytes, context: bytes, grace: float, deadline: float | None) -> None:
        self.name = name
        self.context = context
        self.note = b""
        self.grace = grace
        self.deadline = deadline
        self.fenced = False
        self.processes: list[Process] = []
        self._told: dict[int, int] = {}
        self._kill_at = 0.0

    def due(self) -> float | None:
        """When :meth:`fence` wants to be called (CLOCK_BOOTTIME); None = not at all."""
        return self.deadline

    def fence(self, now: float) -> None:
        """Ends everything of the attempt, by steps: TERM, grace, KILL, until nothing is left."""
        if self.deadline is None or now < self.deadline:
            return
        if not self.fenced:
            self.fenced, self._kill_at = True, now + self.grace
            for process in self.processes:
                process.fenced = True
        living = self._living()
        if not living:
            self.deadline = None
            return
        self._signal(living, _KILL if now >= self._kill_at else _TERM)
        self.deadline = now + (_AGAIN if now < self._kill_at + _STUBBORN else _STUBBORN)

    def kill(self) -> None:
        """Ends what is left, at once."""
        self._told.clear()
        self._signal(self._living() if any(not process.ended for process in self.processes) else [], _KILL)

    def _living(self) -> list[int]:
        groups = {process.pid: started_at(process.pid) for process in self.processes if not process.reaped}
        return belonging_to({self.name.decode()}, groups)

    def _signal(self, pids: list[int], number: int) -> None:
        """TERM is said once to each; another process may have its id by the time of the signal."""
        for pid in pids:
            start = started_at(pid)
            if (number == _TERM and self._told.get(pid) == start) or not same(pid, start):
                continue
            self._told[pid] = start
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue
