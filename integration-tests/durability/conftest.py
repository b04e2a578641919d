"""A site for every test: here things are killed. Where only agents are, the tests share one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture
async def site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site with two agents in ``web``."""
    async with Site.create(tmp_path, agents=["web-01", "web-02"]) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site without agents: each test starts its own."""
    async with Site.create(tmp_path_factory.mktemp("shared")) as made:
        yield made
