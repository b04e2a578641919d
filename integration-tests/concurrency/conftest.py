"""A site for all tests that leave it as it is, and one of its own for every test that kills something.

Whatever the workflows of a site did is replayed in the end: the tests are hard on determinism, too.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

from concurrency._effects import Effects, replay_everything


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01"]) as made:
        yield made
        assert await replay_everything(made)


@pytest_asyncio.fixture
async def own_site(tmp_path: Path, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site for one test."""
    async with Site.create(tmp_path, agents=["web-01"]) as made:
        yield made
        assert await replay_everything(made)


@pytest.fixture
def effects(tmp_path: Path) -> Effects:
    """What the steps of a test have done, in order."""
    return Effects(tmp_path / "effects")
