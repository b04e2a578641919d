"""A site with two agents that name no group but `hosts`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Temporal, server, and the agents ``web-01`` and ``web-02`` in the group ``hosts``."""
    async with Site.create(tmp_path, agents=("web-01", "web-02"), groups=("hosts",)) as site:
        yield site
