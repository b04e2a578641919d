"""One site for the tests of what is seen from outside; each test has runs of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """Three agents of the group ``web``."""
    del temporal_binary
    async with Site.create(tmp_path_factory.mktemp("outside"), agents=["web-01", "web-02", "web-03"]) as site:
        yield site
