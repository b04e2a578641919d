"""A site with an agent behind a cable that can be pulled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Agent, Site

from ._cable import Cable, door


class Far:
    """A site, and ``far-01``, an agent in ``web`` that runs in a network of its own; ``cable`` joins it to the site."""

    def __init__(self, site: Site, cable: Cable) -> None:
        self.site = site
        self.cable = cable
        self.agent = Agent("far-01", ("web",), site.root / "agents" / "far-01")

    @property
    def logs(self) -> Path:
        """Its spool."""
        return self.agent.state_dir / "logs"

    def start(self, temporal: str, server: str) -> None:
        """Start the agent; these are the site's addresses as seen through the cable."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "WATERFLOW_"))}
        environ |= {
            "TEMPORAL_ADDRESS": temporal,
            "SERVER_ADDRESS": f"http://{server}",
            "WATERFLOW_KEYS_FILE": str(self.site.root / "keys.json"),
            "WATERFLOW_AGENT_NAME": self.agent.name,
            "SERVER_GROUP": "web",
            "WATERFLOW_STATE_DIR": str(self.agent.state_dir),
            "WATERFLOW_HEARTBEAT_TIMEOUT": "5s",
            "PYTHONUNBUFFERED": "1",
        }
        with (self.site.root / "agent-far-01.log").open("ab") as log:
            self.agent.process = subprocess.Popen(
                self.cable.enter(sys.executable, "-m", "waterflow_agent"),
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.site.agents[self.agent.name] = self.agent  # the site ends it


@pytest_asyncio.fixture
async def far(
    tmp_path: Path, temporal_binary: Path, require_component: Callable[[str, str], Path]
) -> AsyncIterator[Far]:
    """``far-01`` is online and the only agent."""
    require_component("ip", "Install Debian's package iproute2.")
    if os.geteuid() != 0:
        require_component("The right to make network namespaces", "Run the tests as root.")
    async with Cable.create() as cable, _site(tmp_path, cable) as made:
        yield made


@asynccontextmanager
async def _site(root: Path, cable: Cable) -> AsyncGenerator[Far]:
    async with (
        Site.create(root) as site,
        door(cable.near, site.temporal.address) as temporal,
        door(cable.near, f"127.0.0.1:{site.port}") as server,
    ):
        far = Far(site, cable)
        far.start(temporal, server)
        await site.until_online("far-01")
        yield far


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents under test get their settings from the test alone."""
    for name in tuple(os.environ):
        if name.startswith(("TEMPORAL_", "WATERFLOW_")) and name != "WATERFLOW_TEMPORAL_BINARY":
            monkeypatch.delenv(name)
