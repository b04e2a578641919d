"""A site for all tests that leave it as it is, and one for those that kill something and start it again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01"]) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def _own(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    async with Site.create(tmp_path_factory.mktemp("own"), agents=["web-01"]) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def own_site(_own: Site) -> Site:
    """A site for the tests of outages; its agent is there again after the one before."""
    await _own.until_online("web-01")
    return _own
