"""What is old is removed: journal entries, workspaces, shipped logs. What is not needed is given back: memory."""

from __future__ import annotations

import asyncio
import logging

from ._journal import Journal
from ._logs import Logs
from ._memory import give_back
from ._settings import AgentSettings
from ._workspace import Workspaces

logger = logging.getLogger("waterflow.agent")

_FIRST = 8.0
_EVERY = 3600.0
_JOURNAL_KEEP = 7 * 86400.0  # far beyond any time in which an attempt is sent again


async def keep_clean(journal: Journal, workspaces: Workspaces, logs: Logs, settings: AgentSettings) -> None:
    """Cleans soon after the start and every hour, in a thread."""
    await asyncio.sleep(_FIRST)
    while True:
        try:
            await asyncio.to_thread(_clean, journal, workspaces, logs, settings)
        except OSError as error:
            logger.warning("old files could not be removed: %s", error)
        await asyncio.sleep(_EVERY)


def _clean(journal: Journal, workspaces: Workspaces, logs: Logs, settings: AgentSettings) -> None:
    journal.forget_older_than(_JOURNAL_KEEP)
    workspaces.forget_older_than(settings.work_keep)
    logs.clean()
    give_back()
