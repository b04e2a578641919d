"""SIGTERM, as systemd sends it: what does not end in time is handed back, and the run goes on as its policy says."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from harness import Site
from harness.files import lines_of
from harness.site import until

from waterflow_sdk.wire import State

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("temporal_binary")]


async def stop_when_begun(site: Site, effects: Path, *others: str) -> None:
    """Stop ``web-01``, the only agent, as soon as it runs the step; ``others`` are there then."""

    async def begun() -> bool:
        return bool(lines_of(effects))

    await until(begun, "the step has begun")
    for name in others:
        site.start_agent(name)
    await site.until_online(*others)
    process = site.agents["web-01"].process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 120) == 0


def work(policy: str, effects: Path, script: str) -> str:
    return f"""
        name: drained
        jobs:
          work:
            runs-on: web
            agent-loss: {{policy: {policy}, for: 1s}}
            steps: [{{run: 'echo "$WATERFLOW_ATTEMPT" >> {effects}; {script}'}}]
    """


class TestHandedBack:
    async def test_another_agent_does_it_where_the_policy_is_to_reassign(self, tmp_path: Path):
        effects = tmp_path / "effects"
        async with Site.create(tmp_path) as site:
            site.start_agent("web-01", WATERFLOW_STOP_GRACE="1s")
            await site.until_online("web-01")
            run = await site.submit(work("reassign", effects, f"test $(wc -l < {effects}) -gt 1 || sleep 300"))
            await stop_when_begun(site, effects, "web-02")
            state = await run.wait(180)
        attempts = state.jobs[0].steps[0].attempts
        assert state.state is State.SUCCESS, state.error
        assert [attempt.agent and attempt.agent.name for attempt in attempts] == ["web-01", "web-02"]
        assert attempts[0].error is not None
        assert attempts[0].error.code == "agent-stopped"
        assert len(lines_of(effects)) == 2

    async def test_the_run_fails_and_says_why_where_it_is_to_fail(self, tmp_path: Path):
        effects = tmp_path / "effects"
        async with Site.create(tmp_path) as site:
            site.start_agent("web-01", WATERFLOW_STOP_GRACE="1s")
            await site.until_online("web-01")
            run = await site.submit(work("fail", effects, "sleep 300"))
            await stop_when_begun(site, effects, "web-02")
            state = await run.wait(180)
        (attempt,) = state.jobs[0].steps[0].attempts
        assert (state.state, attempt.error and attempt.error.code) == (State.FAILED, "agent-stopped")
        assert len(lines_of(effects)) == 1
