"""The short form of the proof; `make soak` runs a million lines of twenty agents."""

from pathlib import Path

import pytest
from harness import Site

from logs._proof import Blow, Plan, prove, start_agents

pytestmark = [pytest.mark.slow, pytest.mark.alone]

AGENTS = ("a1", "a2", "a3", "a4")
SHORT = Plan(
    agents=AGENTS,
    batches=30,
    size=500,
    pause=0.25,
    blows=(
        Blow(at=0.15, targets=("server", "a1"), spooled=4_000),
        Blow(at=0.35, targets=("temporal",), spooled=2_000),
        Blow(at=0.45, targets=("server", "a2"), spooled=4_000),
    ),
)


class TestNumberedLines:
    @pytest.mark.usefixtures("temporal_binary")
    async def test_each_is_followed_and_stored_once_and_in_order_whatever_is_killed(self, tmp_path: Path):
        async with Site.create(tmp_path) as site:
            await start_agents(site, AGENTS)
            proof = await prove(site, SHORT)
        assert proof.problems == [], str(proof)
        assert proof.lines == SHORT.lines == 60_000
        assert (proof.interrupted, proof.streams) == (0, len(AGENTS))  # steps of killed agents are adopted
