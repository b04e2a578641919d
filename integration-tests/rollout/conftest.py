"""One site for all tests of this folder: six hosts in ``fleet``, three in ``half`` too; one is tagged ``canary``."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

HOSTS = [f"h-{number}" for number in range(1, 7)]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not end anything in it."""
    async with Site.create(tmp_path_factory.mktemp("site")) as made:
        for name in HOSTS:
            tags = {"WATERFLOW_TAGS": "canary"} if name == "h-4" else {}
            made.start_agent(name, ["fleet", "half"] if name in HOSTS[:3] else ["fleet"], **tags)
        await made.until_online(*HOSTS)
        yield made
