"""One site for all tests of this folder: a server that speaks TLS and asks for keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ._secure import SecureSite


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[SecureSite]:
    """Temporal, server, and the agent ``web-01`` in the group ``web`` with a key of its own."""
    del temporal_binary
    async with SecureSite.create(tmp_path_factory.mktemp("auth")) as made:
        assert isinstance(made, SecureSite)
        made.start_agent("web-01", key=await made.make_key("web-01", "agent", agent="web-01"))
        await made.until_online("web-01")
        yield made
