"""New nodes are asked for once, however many agents have them: a fleet that starts at once has all the same ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from waterflow_sdk.wire import NodeManifest

from ._manifests import Manifests

ANSWERED_WITHIN = 30.0
"""Seconds that an agent has to give the manifests that it was asked for, until another one is asked."""

_LOOK_AGAIN = 1.0  # another replica of the server may store what this one waits for


class Learning:
    """Who asks for which manifests. What this process does not know of, a former or another one did, is asked twice,
    which does no harm.
    """

    def __init__(self, manifests: Manifests, answered_within: float = ANSWERED_WITHIN) -> None:
        self._manifests = manifests
        self._answered_within = answered_within
        self._asked: dict[str, float] = {}
        self._stored = asyncio.Event()

    async def missing(self, digests: Sequence[str]) -> list[str]:
        """The digests to ask an agent for; waits for those that another agent was asked for a moment ago."""
        while True:
            stored = self._stored
            known = await self._manifests.find(digests)
            absent = [digest for digest in digests if digest not in known]
            # All or none of them: nobody waits for others while others wait for it.
            if not self._being_asked(absent):
                self._asked.update(dict.fromkeys(absent, time.monotonic()))
                return absent
            await _wait(stored, _LOOK_AGAIN)

    async def store(self, manifests: Sequence[NodeManifest]) -> None:
        """Keeps what an agent has answered."""
        await self._manifests.store(manifests)
        for manifest in manifests:
            self._asked.pop(manifest.digest, None)
        self._stored.set()
        self._stored = asyncio.Event()

    def _being_asked(self, digests: Iterable[str]) -> bool:
        now = time.monotonic()
        self._asked = {digest: at for digest, at in self._asked.items() if now - at < self._answered_within}
        return any(digest in self._asked for digest in digests)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
