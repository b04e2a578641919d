"""One site for all tests of this folder: two agents in ``web``, one in ``db``."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01", "web-02"]) as made:
        made.start_agent("db-01", ["db"])
        await made.until_online("db-01")
        yield made
