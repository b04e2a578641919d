"""One site for all tests of this folder: two agents in the group `hosts`, and nothing that a test has left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.site import until

from waterflow_sdk.wire import AgentStatus

AGENTS = ("web-01", "web-02")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def whole(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """Temporal, server, and the agents ``web-01`` and ``web-02`` in the group ``hosts``."""
    del temporal_binary
    async with Site.create(tmp_path_factory.mktemp("groups"), agents=AGENTS, groups=("hosts",)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def site(whole: Site) -> AsyncIterator[Site]:
    """The shared site as every test finds it: its two agents take work, and the server keeps no group."""
    yield whole
    whole.server_environ.clear()
    for name in [name for name in whole.agents if name not in AGENTS]:
        await _forget(whole, name)
    await whole.client.groups.apply("server_groups: []", prune=True)
    for name in AGENTS:
        await whole.client.uncordon_agent(name)


async def _forget(site: Site, name: str) -> None:
    """Stop an agent that a test has started, and remove it from the list."""
    agent = site.agents.pop(name)
    assert agent.process is not None
    agent.process.terminate()
    await asyncio.to_thread(agent.process.wait, 120)
    left = (agent.state_dir / "agent-id").read_text().strip()

    async def stopped() -> bool:
        return (await site.client.agent(left)).status is AgentStatus.OFFLINE

    await until(stopped, f"agent {name} has said that it stops")
    await site.client.remove_agent(left)
