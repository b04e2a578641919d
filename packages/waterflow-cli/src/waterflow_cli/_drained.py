"""Waiting until nothing runs on an agent any more."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from waterflow_sdk.wire import AgentState, AgentStatus

from ._errors import CliError
from ._exit_codes import ExitCode

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient

_POLL = 1.0
_BEATS = 2
"""Heartbeats in a row that must say so: the first one may be from just before the agent was told to drain."""


async def until_empty(client: AsyncClient, id: str, within: float | None) -> AgentState:
    """The agent, once two of its heartbeats in a row said that nothing runs, or once it is offline.

    Raises :class:`CliError` after ``within`` seconds (None: never).
    """
    last = await client.agent(id)
    try:
        async with asyncio.timeout(within):
            empty: set[datetime] = set()
            seen = last.load.time if last.load else None
            while last.status is not AgentStatus.OFFLINE and len(empty) < _BEATS:
                await asyncio.sleep(_POLL)
                last = await client.agent(id)
                if last.load is None or last.load.time == seen:
                    continue
                empty = {*empty, last.load.time} if last.load.running + last.load.held == 0 else set()
    except TimeoutError:
        running = last.load.running if last.load else 0
        raise CliError(
            f"agent {last.name} still runs {running} step{'' if running == 1 else 's'} after {within:g} s",
            f"it stays drained; `waterflow agent status {last.id}` shows what runs",
            ExitCode.TIMED_OUT,
        ) from None
    return last
