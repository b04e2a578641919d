"""Retention: logs of runs that Temporal has forgotten go when they are old enough. Logs of a living run never do.

With the same beat, what is left is made smaller (:meth:`FileLogStore.compact`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from .._upkeep import EVERY, now_and_then
from ._file_store import FileLogStore
from ._store import LogStoreError

MOST = 1000
"""Journals that one sweep looks at; the oldest come first, the rest the next time."""

Knows = Callable[[str], Awaitable[bool | None]]
"""Whether Temporal knows a run; None while that cannot be told."""

_log = logging.getLogger("waterflow.logs")


async def sweep(store: FileLogStore, knows: Knows, retention: timedelta, most: int = MOST) -> list[str]:
    """Remove what is due; gives the runs whose logs went. Ends early where Temporal is away. Raises LogStoreError."""
    removed: list[str] = []
    for run in await store.unused_for(retention, most):
        known = await knows(run)
        if known is None:
            break
        if not known and await store.remove(run, unused_for=retention):
            removed.append(run)
    return removed


async def keep_sweeping(store: FileLogStore, knows: Knows, retention: timedelta, every: float = EVERY) -> None:
    """Sweep now and then until cancelled."""

    async def tidy() -> None:
        if removed := await sweep(store, knows, retention):
            _log.info("removed the logs of %d runs that are past retention", len(removed))
        if merged := await store.compact():
            _log.info("merged %d small objects of logs", merged)

    await now_and_then(tidy, LogStoreError, "old logs could not be removed or merged", every)
