"""Hosts that are offline when a rollout comes to them: they fail, are left out, or are waited for, as the job says."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from harness.site import until

from waterflow_sdk.wire import AgentStatus, RunState, State

from ._files import batches, effects, finished, rollout

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE, FAILED, SKIPPED, CANCELLED = State.SUCCESS, State.FAILED, State.SKIPPED, State.CANCELLED
GROUP, AWAY = "partly", "p-2"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three(site: Site) -> AsyncIterator[Site]:
    """The group ``partly`` of three hosts."""
    hosts = [site.start_agent(name, [GROUP]) for name in ("p-1", AWAY, "p-3")]
    await site.until_online(*(host.name for host in hosts))
    yield site
    for host in hosts:
        host.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def partly(three: Site) -> Site:
    """The second of the three hosts has stopped."""
    agent = three.agents[AWAY]
    assert agent.process is not None
    agent.process.terminate()
    await asyncio.to_thread(agent.process.wait, 120)

    async def offline() -> bool:
        return (await three.client.agent(AWAY)).status is AgentStatus.OFFLINE

    await until(offline, "the host that stops has said so")
    return three


def one_by_one(work: Path, offline: str, policy: str = "batch: 1") -> str:
    """A rollout over the three hosts."""
    return rollout(policy, work, more=f"offline: {offline}", group=GROUP)


def states(run: RunState) -> dict[str, State]:
    """What became of each host; it is in the name of its instance."""
    return {job.instance.removeprefix("deploy[").removesuffix("]"): job.state for job in run.jobs}


class TestFail:
    async def test_they_count_as_failed_before_anybody_is_touched(self, partly: Site, tmp_path: Path):
        run = await finished(partly, one_by_one(tmp_path, "fail"))
        assert effects(tmp_path) == []
        assert states(run) == {"p-1": CANCELLED, AWAY: FAILED, "p-3": CANCELLED}
        assert [job.agent.name for job in run.jobs if job.agent] == ["p-1", AWAY, "p-3"]
        assert run.state is FAILED
        assert {job.reason for job in run.jobs if job.state is CANCELLED} == {
            "rollout stopped: 1 of 3 hosts failed (p-2); max-failures is 0"
        }

    async def test_within_the_threshold_the_others_run(self, partly: Site, tmp_path: Path):
        run = await finished(partly, one_by_one(tmp_path, "fail", "batch: 1\nmax-failures: 1"))
        assert effects(tmp_path) == ["p-1", "p-3"]
        assert states(run) == {"p-1": DONE, AWAY: FAILED, "p-3": DONE}
        assert run.state is DONE, run.error


class TestSkip:
    async def test_they_are_left_out_and_count_for_nothing(self, partly: Site, tmp_path: Path):
        run = await finished(partly, one_by_one(tmp_path, "skip"))
        assert effects(tmp_path) == ["p-1", "p-3"]
        assert states(run) == {"p-1": DONE, AWAY: SKIPPED, "p-3": DONE}
        assert run.state is DONE, run.error
        assert run.rollouts[0].failed == 0
        (left_out,) = [job.reason for job in run.jobs if job.state is SKIPPED]
        assert left_out.startswith("agent p-2 is offline")


class TestWait:
    async def test_their_batch_holds_the_next_until_they_are_there(self, partly: Site, tmp_path: Path):
        run = await partly.client.submit(one_by_one(tmp_path, "{wait: 5m}"))

        async def waits_for_it() -> bool:
            jobs = (await run.status("summary")).jobs
            return any(f"{AWAY} offline" in job.reason for job in jobs)

        await until(waits_for_it, "the second batch waits for its host")
        assert effects(tmp_path) == ["p-1"]
        partly.start_agent(AWAY)
        assert (await run.wait(180)).state is DONE
        state = await run.status("full")
        assert effects(tmp_path) == ["p-1", AWAY, "p-3"]
        assert batches(state) == [(1, DONE, 1), (2, DONE, 1), (3, DONE, 1)]

    async def test_who_does_not_come_in_time_has_failed(self, partly: Site, tmp_path: Path):
        run = await finished(partly, one_by_one(tmp_path, "{wait: 1s}"))
        assert effects(tmp_path) == ["p-1"]
        assert states(run) == {"p-1": DONE, AWAY: FAILED, "p-3": CANCELLED}
        (error,) = [job.error for job in run.jobs if job.state is FAILED]
        assert error is not None
        assert error.code == "no-agent"

    async def test_a_retry_of_failed_hosts_takes_those_that_were_away(self, partly: Site, tmp_path: Path):
        run = await finished(partly, one_by_one(tmp_path, "fail", "batch: 3\nmax-failures: 1"))
        partly.start_agent(AWAY)
        await partly.until_online(AWAY)
        again = await partly.client.run(run.id).retry("failed-hosts")
        assert (await again.wait(180)).state is DONE
        assert sorted(effects(tmp_path)) == ["p-1", AWAY, "p-3"]
