"""Which processes an attempt left behind, read from ``/proc`` (Linux; elsewhere nothing is found).

Every process of a step inherits :data:`MARK` in its environment, so that it is known even when it left its process
group, and a reused process id is never mistaken for it. The keeper uses this too, so it loads next to nothing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "WATERFLOW_ATTEMPT"
"""Environment variable that names the attempt a process belongs to."""

_PROC = "/proc"
_NEVER = 1 << 63


def started_at(pid: int) -> int:
    """Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22); 0 if it is not there."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def boot_id() -> str:
    """Which boot of the host this is: process ids and start times mean nothing in another one. Empty if unknown."""
    try:
        return _read("sys/kernel/random/boot_id").decode().strip()
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
        return int(_read("loadavg").split()[-1])
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


def same(pid: int, start: int) -> bool:
    """Whether the process that began then still runs."""
    fields = _stat(pid)
    return bool(fields) and int(fields[19]) == start and fields[0] != "Z"


def _pids() -> Iterator[int]:
    try:
        entries = os.scandir(_PROC)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.isdecimal():
            yield int(entry.name)


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` after the command name, state first; empty if there is no such process."""
    try:
        text = _read(f"{pid}/stat").decode(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _mark(pid: int) -> str | None:
    try:
        environ = _read(f"{pid}/environ")
    except OSError:
        return None
    wanted = f"{MARK}=".encode()
    for item in environ.split(b"\0"):
        if item.startswith(wanted):
            return item[len(wanted) :].decode(errors="replace")
    return None


def _read(name: str) -> bytes:
    with open(f"{_PROC}/{name}", "rb") as file:
        return file.read()
