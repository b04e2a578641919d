"""Which processes an attempt left behind, read from ``/proc`` (Linux; elsewhere nothing is found).

Every process of a step inherits :data:`MARK` in its environment, so that it is known even when it left its process
group, and a reused process id is never mistaken for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

MARK = "WATERFLOW_ATTEMPT"
"""Environment variable that names the attempt a process belongs to."""

_PROC = Path("/proc")
_POLL = 0.05
_NEVER = 1 << 63


def started_at(pid: int) -> int:
    """Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22); 0 if it is not there."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def boot_id() -> str:
    """Which boot of the host this is: process ids and start times mean nothing in another one. Empty if unknown."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def belonging_to(keys: set[str], groups: dict[int, int], above: int = 0) -> list[int]:
    """Living processes of attempts: those that carry the mark of one of ``keys``, and those that wiped their
    environment but stayed in the session of one of ``groups`` (id of group and session → start time of their leader).
    Only ids greater than ``above`` are looked at.
    """
    sessions = {group: started for group, started in groups.items() if _still_ours(group, started)}
    return [pid for pid in _pids() if pid > above and (_in_session(pid, sessions) or _mark(pid) in keys)]


def group_of(pid: int) -> int:
    """The process group of a process; 0 if it is not there."""
    fields = _stat(pid)
    return int(fields[2]) if fields else 0


def last_pid() -> int:
    """The id that the kernel gave last (proc_loadavg(5), last field); 0 if unknown. Ids ascend, then begin again."""
    try:
        return int((_PROC / "loadavg").read_text().split()[-1])
    except (OSError, ValueError, IndexError):
        return 0


def _still_ours(group: int, started: int) -> bool:
    """Whether the number can still mean our session: while a member lives, the kernel gives it to nobody else. So a
    leader that started at another time leads a stranger's.
    """
    return started > 0 and started_at(group) in (0, started)


def _in_session(pid: int, sessions: dict[int, int]) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z" and int(fields[19]) >= sessions.get(int(fields[3]), _NEVER)


Send = Callable[[list[int], signal.Signals], Awaitable[None]]
"""Sends a signal to processes."""


async def send_signal(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to processes of the agent's own user."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


async def end_processes(pids: list[int], grace: float, send: Send = send_signal) -> None:
    """TERM, then KILL after ``grace`` seconds, to processes that are known to be ours."""
    living = {pid: started_at(pid) for pid in pids}
    await send([pid for pid, start in living.items() if _same(pid, start)], signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            while any(_same(pid, start) for pid, start in living.items()):  # noqa: ASYNC110 (not our children)
                await asyncio.sleep(_POLL)
    await send([pid for pid, start in living.items() if _same(pid, start)], signal.SIGKILL)


def _same(pid: int, start: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and int(fields[19]) == start and fields[0] != "Z"


def _pids() -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(_PROC):
            if entry.name.isdecimal():
                yield int(entry.name)


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` after the command name, state first; empty if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _mark(pid: int) -> str | None:
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    wanted = f"{MARK}=".encode()
    for item in environ.split(b"\0"):
        if item.startswith(wanted):
            return item[len(wanted) :].decode(errors="replace")
    return None
