"""A site for every test: here things are killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture
async def site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site with two agents in ``web``."""
    async with Site.create(tmp_path, agents=["web-01", "web-02"]) as made:
        yield made
