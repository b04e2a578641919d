"""Ending processes that are not our children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from ._process_table import same, started_at

_POLL = 0.05


async def end_processes(pids: list[int], grace: float) -> None:
    """TERM, then KILL after ``grace`` seconds, to processes that are known to be ours."""
    living = {pid: started_at(pid) for pid in pids}
    _signal_all(living, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            while any(same(pid, start) for pid, start in living.items()):  # noqa: ASYNC110 (not our children)
                await asyncio.sleep(_POLL)
    _signal_all(living, signal.SIGKILL)


def _signal_all(living: dict[int, int], number: signal.Signals) -> None:
    for pid, start in living.items():
        if same(pid, start):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
