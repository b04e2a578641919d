"""Temporal, the interpreter and agents on one machine, without the web side: what hundreds of hosts cost is here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from benchmarks._rig import Rig, rig

AGENTS = 110
PROCESSES = 2


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def fleet(temporal_binary: Path) -> AsyncIterator[Rig]:
    """Agents in a few processes."""
    del temporal_binary
    async with rig(AGENTS, PROCESSES) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def alone(temporal_binary: Path) -> AsyncIterator[Rig]:
    """The interpreter, for what needs no agent."""
    del temporal_binary
    async with rig() as made:
        yield made
