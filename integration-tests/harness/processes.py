"""Which processes a command leaves behind: its descendants, found by their parents and not by their names."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_SET_CHILD_SUBREAPER = 36  # prctl(2)
_POLL = 0.05
_ENDS_WITHIN = 60.0


@contextlib.contextmanager
def nothing_left_running(within: float = 60.0) -> Iterator[None]:
    """Fails when a process that was started inside still lives ``within`` seconds after the end of the block.

    An orphan becomes the child of the nearest ancestor that asked for orphans (``PR_SET_CHILD_SUBREAPER``): here, us.
    So none gets away, whatever session or process group it is in. What is left is killed, by its id.
    """
    _adopt_orphans()
    before = _descendants()
    try:
        yield
        deadline = time.monotonic() + within
        while (left := _living(before)) and time.monotonic() < deadline:
            time.sleep(_POLL)
        told = [_describe(pid) for pid in left]
        assert told == [], f"still running after {within:g} s: {told}"
    finally:
        for pid in _living(before):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def end_keeper(state_dir: Path) -> None:
    """Kills the keeper of an agent's state directory, if there is one, and the process groups that it started."""
    try:
        lock = (state_dir / "keeper.lock").open("r+")
    except FileNotFoundError:
        return
    deadline = time.monotonic() + _ENDS_WITHIN
    with lock:
        while not _locked(lock):
            assert time.monotonic() < deadline, f"the keeper of {state_dir} does not end"
            lock.seek(0)
            if keeper := lock.read():  # it writes that down a moment after it has the lock
                _kill_with_groups(int(keeper))
            time.sleep(_POLL)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kill_with_groups(keeper: int) -> None:
    groups = list(_children(keeper))
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGKILL)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not collected yet does not."""
    return _state(pid) not in ("", "Z", "X")


def _adopt_orphans() -> None:
    assert sys.platform == "linux", "the processes of other systems are not looked at"
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _living(before: set[int]) -> list[int]:
    """New descendants that have not ended; those that have, and are ours to reap, are reaped."""
    left: list[int] = []
    for pid in sorted(_descendants() - before):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if lives(pid):
            left.append(pid)
    return left


def _descendants() -> set[int]:
    found: set[int] = set()
    pending = [os.getpid()]
    while pending:
        children = set(_children(pending.pop())) - found
        found |= children
        pending.extend(children)
    return found


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, (task / "children").read_text().split())


def _state(pid: int) -> str:
    """The state letter of proc_pid_stat(5); empty when there is no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _describe(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"
