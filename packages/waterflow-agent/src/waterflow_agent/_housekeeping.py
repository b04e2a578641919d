"""What is old is removed: journal entries, workspaces, shipped logs. What is not needed is given back: memory."""

from __future__ import annotations

import asyncio
import logging

from . import _clock
from ._journal import Journal
from ._logs import Logs
from ._memory import Rest, give_back
from ._settings import AgentSettings
from ._workspace import Workspaces

logger = logging.getLogger("waterflow.agent")

_WARM = 15.0  # connections are made, the first heartbeats of the lease are sent
_LOOK = 60.0
_EVERY = 3600.0
_JUMP = 3600.0
_JOURNAL_KEEP = 7 * 86400.0  # far beyond any time in which an attempt is sent again


async def keep_clean(journal: Journal, workspaces: Workspaces, logs: Logs, settings: AgentSettings) -> None:
    """Gives back memory soon after the start and whenever work is over; cleans every hour. Both in threads."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep_small())
        group.create_task(_keep_tidy(journal, workspaces, logs, settings))


async def _keep_small() -> None:
    await asyncio.sleep(_WARM)
    await asyncio.to_thread(give_back)
    rest = Rest()
    while True:
        await asyncio.sleep(_LOOK)
        await asyncio.to_thread(rest.give_back)


async def _keep_tidy(journal: Journal, workspaces: Workspaces, logs: Logs, settings: AgentSettings) -> None:
    """Not at once: an outcome that was journalled before the start is asked for within minutes after it."""
    patience = Patience()
    while True:
        await asyncio.sleep(_EVERY)
        if not patience.over():
            continue
        try:
            await asyncio.to_thread(clean, journal, workspaces, logs, settings)
        except OSError as error:
            logger.warning("old files could not be removed: %s", error)


class Patience:
    """After the host's clock was set forward, everything looks old: nothing is removed before it can be."""

    def __init__(self) -> None:
        self._jumps = _clock.Jumps()
        self._until = 0.0

    def over(self) -> bool:
        """Whether ages can be believed."""
        if (jump := self._jumps.seconds) > _JUMP:
            logger.warning("the clock was set forward by %.0f s: nothing is removed for its age for a week", jump)
            self._jumps, self._until = _clock.Jumps(), _clock.elapsed() + _JOURNAL_KEEP
        return _clock.elapsed() >= self._until


def clean(journal: Journal, workspaces: Workspaces, logs: Logs, settings: AgentSettings) -> None:
    """Removes what is older than it has to be."""
    journal.forget_older_than(_JOURNAL_KEEP)
    workspaces.forget_older_than(settings.work_keep)
    logs.clean()
