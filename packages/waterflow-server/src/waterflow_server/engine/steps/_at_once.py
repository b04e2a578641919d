"""Branches of a block at the same time, at most so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..memory._rollover import RollOver
from ..nodes._control import StopJob

Branch = Callable[[int], Awaitable[bool]]
"""Runs the branch with this number; false when it failed."""

Begun = Callable[[int], bool]
"""Whether the branch had begun before a roll-over, so that it goes on whatever happened beside it."""


More = Callable[[], bool]
"""Whether any more branches may begin."""


async def at_once(
    roll: RollOver, count: int, branch: Branch, begun: Begun, more: More, limit: int, *, fail_fast: bool
) -> None:
    """Run branches 0 to ``count`` - 1 in order, at most ``limit`` at once; after a failure under ``fail_fast``, a
    ``stop``, or once there may be no ``more``, no more begin. There are never more tasks than run at once, however many
    branches wait.
    """
    if not roll.bounded:
        return await _all_waiting(count, branch, limit, fail_fast=fail_fast)
    numbers = iter(range(count))
    failed = False
    stopped: StopJob | None = None

    async def worker() -> None:
        nonlocal failed, stopped
        for number in numbers:
            if begun(number) or (more() and not (stopped or (failed and fail_fast))):
                try:
                    failed = not await branch(number) or failed
                except StopJob as stop:
                    stopped = stop

    async def beside() -> None:
        with roll.branch():
            await worker()

    if limit == 1:
        await worker()
    else:
        with roll.resting():
            await asyncio.gather(*(beside() for _ in range(min(limit, count))))
    if stopped is not None:
        raise stopped
    return None


async def _all_waiting(count: int, branch: Branch, limit: int, *, fail_fast: bool) -> None:
    """As jobs did it that never roll over: all branches are there from the beginning and wait for a slot."""
    slots = asyncio.Semaphore(max(limit, 1))
    failed = False

    async def one(number: int) -> None:
        nonlocal failed
        async with slots:
            if not (failed and fail_fast):
                failed = not await branch(number) or failed

    await asyncio.gather(*(one(number) for number in range(count)))
