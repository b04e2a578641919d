"""The registry: lists from visibility, filtered as a target says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import AgentStatus
from waterflow_server.presence import AgentRegistry

from .conftest import PlayedAgent, hello

AGENTS = {
    "db-01": (["db"], ["linux"]),
    "web-01": (["web"], ["linux", "ssd"]),
    "web-02": (["web", "o'neill"], ["linux"]),
}


@pytest.fixture
async def three_agents(client: Client, orchestrator: None, registry: AgentRegistry) -> AsyncIterator[None]:
    """Three agents that are online and visible."""
    del orchestrator
    async with AsyncExitStack() as stack:
        played = [
            await stack.enter_async_context(
                PlayedAgent(client, hello(id=f"id-{name}", name=name, groups=groups, tags=tags)).polling()
            )
            for name, (groups, tags) in AGENTS.items()
        ]
        await asyncio.gather(*(agent.say_hello() for agent in played))
        async with asyncio.timeout(120):
            while len(await registry.list(status=AgentStatus.ONLINE)) < len(AGENTS):
                await asyncio.sleep(0.05)
        yield
        for agent in played:
            agent.stopped.set_result("")


@pytest.mark.usefixtures("three_agents")
class TestRegistry:
    async def test_everything_about_three_agents(self, registry: AgentRegistry) -> None:
        """One set-up, many questions: agents are slow to start."""

        async def found(**query: object) -> list[str]:
            return [state.name for state in await registry.find(**query)]  # type: ignore[arg-type]

        assert [state.name for state in await registry.list()] == ["db-01", "web-01", "web-02"]
        assert [state.name for state in await registry.list(group="web")] == ["web-01", "web-02"]
        assert await registry.list(status=AgentStatus.OFFLINE) == []
        assert await found(groups=["web"]) == ["web-01", "web-02"]
        assert await found(groups=["web", "db"]) == ["db-01", "web-01", "web-02"]
        assert await found(groups=["o'neill"]) == ["web-02"]
        assert await found(groups=["all-servers"], tags=["ssd"]) == ["web-01"]
        assert await found(tags=["linux", "ssd"]) == ["web-01"]
        assert await found(agent="web-02") == ["web-02"]
        assert await found(agent="id-web-02", groups=["db"]) == []
        assert await found(groups=["x' OR WaterflowKind = 'agent"]) == []
        groups = {name: [state.name for state in members] for name, members in (await registry.groups()).items()}
        assert groups == {
            "all-servers": ["db-01", "web-01", "web-02"],
            "db": ["db-01"],
            "o'neill": ["web-02"],
            "web": ["web-01", "web-02"],
        }
        assert await registry.get("nobody") is None
