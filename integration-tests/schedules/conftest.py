"""A site for all tests that leave it as it is, and one of its own for every test that kills something."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01"]) as made:
        yield made


@pytest_asyncio.fixture
async def own_site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site for one test."""
    async with Site.create(tmp_path, agents=["web-01"]) as made:
        yield made
