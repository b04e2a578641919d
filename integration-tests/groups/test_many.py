"""Many agents at once: all are listed, the loss of a third is noticed, and a change reaches everybody who is left.

`python -m benchmarks.presence` has the figures, with 300 of them; nothing here is timed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import AgentStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPOSITORY = Path(__file__).resolve().parents[2]
WITHIN = 120.0


@asynccontextmanager
async def simulated(site: Site, names: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process with agents that run no steps; what they say of their groups is thrown away."""
    orders = {
        "names": names,
        "temporal": site.temporal.address,
        "keys": str(site.root / "keys.json"),
        "groups": ["many"],
        "tags": ["simulated"],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks._simulated"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class TestThirtyAgents:
    async def test_ten_are_lost_at_once(self, site: Site) -> None:
        names = [f"sim-{number:02}" for number in range(30)]
        async with AsyncExitStack() as stack:
            first, *_ = [await stack.enter_async_context(simulated(site, names[part::3])) for part in range(3)]

            async def online(expected: set[str]) -> bool:
                agents = await site.client.agents()
                return {
                    agent.name for agent in agents if agent.status is AgentStatus.ONLINE and "many" in agent.groups
                } == expected

            await until(lambda: online(set(names)), "all thirty are online", within=WITHIN)
            first.kill()
            await until(lambda: online({*names} - {*names[::3]}), "the loss of ten is noticed", within=WITHIN)
            lost = next(agent for agent in await site.client.agents() if agent.name == names[0])
            assert lost.reason.startswith("no heartbeat for 15 s")

            made = await site.client.groups.create("everyone", tags=["simulated"])
            assert (made.size, made.online) == (30, 20)

            async def told() -> bool:
                agents = [agent for agent in await site.client.agents() if "many" in agent.groups]
                return all(agent.groups == ["everyone", "many"] for agent in agents)

            await until(told, "everybody is in the new group", within=WITHIN)
