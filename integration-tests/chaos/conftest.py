"""One site for the runs of this folder: what is killed in it comes back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

from chaos._model import AGENTS, GROUP


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site with the agents of the generated workflows."""
    async with Site.create(tmp_path_factory.mktemp("chaos"), agents=AGENTS, groups=[GROUP]) as made:
        yield made
