"""One site for all tests of this folder: agents in ``web`` and ``db``, and a group whose only member is gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.site import until

from waterflow_sdk.wire import AgentStatus


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01", "web-02"]) as made:
        made.start_agent("db-01", ["db"])
        away = made.start_agent("away-01", ["away"])
        await made.until_online("db-01", "away-01")
        away.kill()

        async def offline() -> bool:
            return (await made.client.agent("away-01")).status is AgentStatus.OFFLINE

        await until(offline, "away-01 is known to be offline")
        yield made
