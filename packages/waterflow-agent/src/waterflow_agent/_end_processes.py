"""Ending processes that are not our children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable

from ._process_table import same, started_at

_POLL = 0.05

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
    await send([pid for pid, start in living.items() if same(pid, start)], signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            while any(same(pid, start) for pid, start in living.items()):  # noqa: ASYNC110 (not our children)
                await asyncio.sleep(_POLL)
    await send([pid for pid, start in living.items() if same(pid, start)], signal.SIGKILL)
