"""One site for all tests of this folder, and the command with a home of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.command import Command


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site with one agent in ``web``; tests must not kill anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site"), agents=["web-01"]) as made:
        yield made


@pytest.fixture
def waterflow(tmp_path: Path, temporal_binary: Path) -> Command:
    """`waterflow`, for whom everything is new but the Temporal CLI."""
    return Command(tmp_path / "home", temporal_binary)
