"""A host whose clock is set, far ahead and far back, while a step runs: nothing is lost, fenced, or done twice."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import AgentStatus, State

from ._clock import Clock

HOURS_9 = 9 * 3600.0
TIMEOUT = 15
"""Seconds without a heartbeat after which the agent counts as offline; it sends one every five."""

LIMIT = 120
"""Seconds that the step may take."""

FLOW = """
jobs:
  one:
    runs-on: web
    agent-loss: reassign
    steps:
      - run: touch {up}; while [ ! -e {go} ]; do sleep 0.05; done; echo whole
        timeout: {limit}s
      - run: echo next
"""


@pytest.mark.slow
@pytest.mark.usefixtures("temporal_binary")
class TestJump:
    async def test_ahead_and_back_during_a_step(self, tmp_path: Path):
        clock = Clock(tmp_path)
        up, go = tmp_path / "up", tmp_path / "go"
        async with Site.create(tmp_path / "site") as site:
            site.start_agent("web-01", WATERFLOW_HEARTBEAT_TIMEOUT=f"{TIMEOUT}s", **clock.environ)
            await site.until_online("web-01")
            run = await site.submit(FLOW.format(up=up, go=go, limit=LIMIT))

            async def begun() -> bool:
                return await asyncio.to_thread(up.exists)

            await until(begun, "the step runs")
            clock.set(HOURS_9)
            await stays_online(site, TIMEOUT / 2)
            clock.set(-HOURS_9)
            await stays_online(site, TIMEOUT + 2)
            go.touch()
            state = await run.wait(180)
            assert state.state is State.SUCCESS, state
            first, second = state.jobs[0].steps
            assert [len(first.attempts), len(second.attempts)] == [1, 1]
            assert first.started is not None
            assert first.ended is not None
            assert timedelta(seconds=TIMEOUT) < first.ended - first.started < timedelta(seconds=LIMIT)
            async with run.logs(follow=True) as log:
                assert [line.text async for line in log if line.event is None] == ["whole", "next"]
            after = await site.run("jobs: {one: {runs-on: web, steps: [{run: echo after}]}}")
            assert after.state is State.SUCCESS
            said = (tmp_path / "site" / "agent-web-01.log").read_text()
            assert "no contact" not in said
            assert "lost" not in said


async def stays_online(site: Site, seconds: float) -> None:
    """The agent is called online all the time."""
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        agent = await site.client.agent("web-01")
        assert agent.status is AgentStatus.ONLINE, agent.reason
        await asyncio.sleep(0.5)
