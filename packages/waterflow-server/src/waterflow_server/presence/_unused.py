"""Manifests of nodes that no agent has any more are forgotten: each version of a node leaves one.

An agent that comes back with such a node is asked for its manifest again, as for any that is not stored.
"""

from __future__ import annotations

import asyncio
import logging
import time

from temporalio.client import Client
from temporalio.service import RPCError

from .._upkeep import EVERY, now_and_then
from ._manifests import Manifests
from .registry import AgentRegistry

KEPT = 24 * 3600.0
"""Seconds for which a manifest stays that no agent has. No server has it in memory then: see ``_manifests.FRESH``."""

_PUT_BACK = 60.0  # an agent that said hello in the very moment is listed by then

_log = logging.getLogger("waterflow.server")


class UnusedManifests:
    """Looks now and then which manifests are used. Times are counted from when this was made, not over restarts."""

    def __init__(self, client: Client, kept: float = KEPT, put_back: float = _PUT_BACK) -> None:
        self._registry = AgentRegistry(client)
        self._manifests = Manifests(client)
        self._kept = kept
        self._put_back = put_back
        self._since: dict[str, float] = {}

    async def sweep(self) -> list[str]:
        """Forget what nobody has had for so long; the digests. Raises RPCError."""
        stored = await self._manifests.stored()
        now = time.monotonic()
        unused = stored.keys() - await self._used()
        self._since = {digest: self._since.get(digest, now) for digest in unused}
        due = sorted(digest for digest, since in self._since.items() if now - since >= self._kept)
        if not due:
            return []
        removed = await self._manifests.find(due)
        for digest in due:
            await self._manifests.remove(digest, stored[digest])
        await asyncio.sleep(self._put_back)
        again = removed.keys() & await self._used()
        await self._manifests.store([removed[digest] for digest in again])
        return [digest for digest in due if digest not in again]

    async def _used(self) -> set[str]:
        """Of all agents, those that are offline too."""
        return {digest for agent in await self._registry.list() for digest in agent.nodes.values()}


async def forget_unused_manifests(client: Client, every: float = EVERY) -> None:
    """Sweep now and then until cancelled."""
    unused = UnusedManifests(client)

    async def forget() -> None:
        if forgotten := await unused.sweep():
            _log.info("forgot %d manifests of nodes that no agent has", len(forgotten))

    await now_and_then(forget, RPCError, "manifests that no agent uses could not be forgotten", every)
