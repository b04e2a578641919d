"""Large runs: more hosts and instances than a shard takes, many different jobs. Bounded histories and children.

The long forms, with the mark `soak`: 300 hosts, 1,000 instances, 1,000 different jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from benchmarks._host import GROUP, NODE
from benchmarks._rig import Rig, compiled, rig
from harness.site import until
from temporalio.client import Client

from waterflow_dsl import Plan
from waterflow_sdk.wire import AgentStatus, RunState, State, run_workflow_id
from waterflow_server.engine import Event
from waterflow_server.presence import AgentRegistry
from waterflow_server.runs import Runs, Submission

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(1000),
]

WITHIN = 600.0
NOTHING = "steps: [{uses: vars/set, with: {a: 1}}]"


async def start(client: Client, plan: Plan) -> str:
    run_id, _ = await Runs(client).submit(Submission(plan=plan, started_by="test"))
    return run_id


async def ended(client: Client, run_id: str) -> RunState:
    """The result of a run."""
    async with asyncio.timeout(WITHIN):
        return await client.get_workflow_handle(run_workflow_id(run_id), result_type=RunState).result()


async def events(client: Client, run_id: str) -> int:
    """Length of the run's own history."""
    return (await client.get_workflow_handle(run_workflow_id(run_id)).describe()).history_length


def matrix(count: int, more: str = "", steps: str = NOTHING) -> Plan:
    values = ", ".join(str(number) for number in range(count))
    head = f"{{matrix: {{n: [{values}]}}, max-instances: {count}{more}}}"
    return compiled(
        f"name: large\njobs:\n  many:\n    strategy: {head}\n    {steps}\n"
        "  after: {needs: many, if: always(), steps: [{uses: vars/set, with: {a: 1}}], "
        "outputs: {n: '${{ toJSON(needs.many.results[250].matrix.n) }}'}}\n"
    )


async def until_listed(fleet: Rig) -> None:
    """Wait until the list of agents has them all: it lags behind the agents."""
    registry = AgentRegistry(fleet.client)

    async def listed() -> bool:
        return len(await registry.list(status=AgentStatus.ONLINE)) >= len(fleet.agents)

    await until(listed, "all agents are listed as online", within=120)


async def on_every_host(fleet: Rig) -> None:
    await until_listed(fleet)
    plan = compiled(f"name: x\njobs:\n  a:\n    runs-on: {{group: {GROUP}, target: all}}\n    steps: [uses: {NODE}]\n")
    run_id = await start(fleet.client, plan)
    state = await ended(fleet.client, run_id)
    assert state.state is State.SUCCESS, state.error
    assert {job.agent.name for job in state.jobs if job.agent} == set(fleet.agents)
    assert await events(fleet.client, run_id) < 100


class TestHosts:
    async def test_more_than_a_shard_each_with_its_step(self, fleet: Rig):
        await on_every_host(fleet)

    @pytest.mark.soak
    @pytest.mark.timeout(1800)
    async def test_three_hundred(self, temporal_binary: Path):
        del temporal_binary
        async with rig(300, 3) as fleet:
            await on_every_host(fleet)


class TestInstances:
    @pytest.mark.parametrize("count", [260, pytest.param(1000, marks=pytest.mark.soak)])
    async def test_have_their_results_in_order_and_a_short_history(self, alone: Rig, count: int):
        run_id = await start(alone.client, matrix(count))
        state = await ended(alone.client, run_id)
        assert state.state is State.SUCCESS, state.error
        assert len(state.jobs) == count + 1
        assert state.jobs[-1].outputs == {"n": "250"}
        assert await events(alone.client, run_id) < 300

    async def test_are_seen_and_paused_and_cancelled_in_time_while_they_run(self, alone: Rig):
        runs = Runs(alone.client)
        run_id = await start(alone.client, matrix(110, steps="steps: [{uses: wait, with: {for: never}}]"))
        async for _ in _looks():
            seen = await runs.get(run_id, full=False)
            if sum(job.state is State.WAITING for job in seen.jobs) == 110:
                break
        assert seen.state is State.WAITING
        await runs.pause(run_id, "lunch")
        assert (await runs.get(run_id, full=False)).state is State.PAUSED
        await runs.resume(run_id)
        await runs.cancel(run_id, "enough")
        state = await ended(alone.client, run_id)
        assert state.state is State.CANCELLED
        assert {job.state for job in state.jobs if job.id == "many"} == {State.CANCELLED}

    async def test_an_event_reaches_all(self, alone: Rig):
        runs = Runs(alone.client)
        run_id = await start(alone.client, matrix(110, steps="steps: [{uses: wait, with: {for: go}}]"))
        await runs.event(run_id, Event(name="go"))
        state = await ended(alone.client, run_id)
        assert state.state is not State.CANCELLED
        assert {job.state for job in state.jobs if job.id == "many"} == {State.SUCCESS}

    async def test_one_that_fails_ends_all_shards_at_once(self, alone: Rig):
        steps = "steps: [{if: 'matrix.n == 105', uses: fail}, {uses: wait, with: {for: never}}]"
        run_id = await start(alone.client, matrix(110, steps=steps))
        state = await ended(alone.client, run_id)
        many = [job for job in state.jobs if job.id == "many"]
        assert [job.instance for job in many if job.state is State.FAILED] == ["many[105]"]
        assert {job.state for job in many} == {State.FAILED, State.CANCELLED}
        assert {job.reason for job in many if job.state is State.CANCELLED} == {"fail-fast: many[105] failed"}


class TestJobs:
    @pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.soak)])
    async def test_that_differ_all_run_and_are_seen(self, alone: Rig, count: int):
        jobs = "".join(f"  j{number}: {{{NOTHING}}}\n" for number in range(count))
        run_id = await start(alone.client, compiled(f"name: many-jobs\njobs:\n{jobs}"))
        state = await ended(alone.client, run_id)
        assert state.state is State.SUCCESS, state.error
        assert {job.state for job in state.jobs} == {State.SUCCESS}
        assert len((await Runs(alone.client).get(run_id, full=False)).jobs) == count


async def _looks() -> AsyncIterator[None]:
    """Turns to look again, for as long as a test may wait."""
    async with asyncio.timeout(WITHIN):
        while True:
            yield
            await asyncio.sleep(0.2)
