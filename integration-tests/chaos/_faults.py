"""Kills or freezes processes of a site while a run goes, and brings them back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from harness import Site

from ._model import Fault


class Faults:
    """The faults of one run. ``done`` are those whose time came, in order."""

    def __init__(self, site: Site, faults: Sequence[Fault]) -> None:
        self._site = site
        self._faults = faults
        self._locks = {fault.target: asyncio.Lock() for fault in faults}
        self._over = asyncio.Event()
        self.done: list[Fault] = []

    @asynccontextmanager
    async def while_inside(self) -> AsyncIterator[None]:
        """Faults come at their time, until the end of the block; then everything runs again."""
        async with asyncio.TaskGroup() as tasks:
            for fault in self._faults:
                tasks.create_task(self._one(fault))
            try:
                yield
            finally:
                self._over.set()

    async def _one(self, fault: Fault) -> None:
        try:
            await asyncio.wait_for(self._over.wait(), fault.at)
        except TimeoutError:
            async with self._locks[fault.target]:
                self.done.append(fault)
                await (self._freeze(fault) if fault.freeze else self._kill_and_restart(fault))

    async def _freeze(self, fault: Fault) -> None:
        process = self._site.server if fault.target == "server" else self._site.agents[fault.target].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(fault.down)
        process.send_signal(signal.SIGCONT)

    async def _kill_and_restart(self, fault: Fault) -> None:
        site, target = self._site, fault.target
        if target == "server":
            site.kill_server()
            await asyncio.sleep(fault.down)
            await site.start_server()
        elif target == "temporal":
            site.temporal.kill()
            await asyncio.sleep(fault.down)
            await site.temporal.restart()
        else:
            site.agents[target].kill()
            await asyncio.sleep(fault.down)
            site.start_agent(target)


async def revive(site: Site) -> list[str]:
    """Starts again what does not run although no fault holds it down, and says what that was."""
    told: list[str] = []
    if site.server is not None and site.server.poll() is not None:
        told.append(f"at the end the server did not run: it had ended with {site.server.poll()}")
        await site.start_server()
    for agent in site.agents.values():
        if agent.process is not None and agent.process.poll() is not None:
            told.append(f"at the end agent {agent.name} did not run: it had ended with {agent.process.poll()}")
            site.start_agent(agent.name)
    return told
