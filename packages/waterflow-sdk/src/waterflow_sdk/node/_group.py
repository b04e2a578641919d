"""Process groups: whether one still lives, and how it is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

_POLL = 0.02  # seconds between looks: the kernel does not tell when a group is empty
_GIVE_UP = 5.0  # seconds after SIGKILL: a process in an uninterruptible call, or another user's, is left alone


def group_alive(group: int) -> bool:
    """Whether the process group has a member that runs. Zombies, which nobody may ever reap in a container, do not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # of another user: everybody may read what runs in it
    return _runs_by_proc(group)


def _runs_by_proc(group: int) -> bool:
    if not Path("/proc/self/stat").exists():
        return True
    with os.scandir("/proc") as entries:
        return any(entry.name.isdigit() and _runs_in(Path(entry.path), group) for entry in entries)


def _runs_in(process: Path, group: int) -> bool:
    try:
        stat = (process / "stat").read_bytes()
    except OSError:  # it ended meanwhile
        return False
    state, _parent, pgrp, *_ = stat.rpartition(b")")[2].split()  # the name in front may hold anything
    return int(pgrp) == group and state not in (b"Z", b"X")


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to the group, if it still exists and is ours."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


Send = Callable[[int, signal.Signals], Awaitable[None]]
"""Sends a signal to a process group."""


async def end_group(group: int, grace: float, send: Send) -> bool:
    """SIGTERM, up to ``grace`` seconds, SIGKILL. Cancelled during the grace, it kills at once. True when it is gone."""
    try:
        if not group_alive(group):
            return True
        await send(group, signal.SIGTERM)
        if await _gone(group, grace):
            return True
    except asyncio.CancelledError:
        await send(group, signal.SIGKILL)
        raise
    await send(group, signal.SIGKILL)
    return await _gone(group, _GIVE_UP)


async def _gone(group: int, seconds: float) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while group_alive(group):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(_POLL)
    return True
