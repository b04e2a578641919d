"""`concurrency` of a file: the runs of one group, one after the other."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from harness import Site
from harness.site import until

from concurrency._effects import Effects, connect, until_queued
from waterflow_sdk.client import AsyncClient, InvalidRequest, Run
from waterflow_sdk.wire import State
from waterflow_server.concurrency import lock_workflow_id

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def retry(site: Site, run: Run) -> Run:
    """Retry a run from what failed."""
    address = f"{site.url}/v1/workflows/{run.id}/retry"
    async with aiohttp.ClientSession() as session, session.post(address, json={}) as answer:
        return site.client.run((await answer.json())["id"])


class TestQueue:
    async def test_five_runs_go_one_after_the_other_in_the_order_of_their_submits(self, site: Site, effects: Effects):
        runs = [await site.submit(effects.workflow(f"r{number}", 0.2, group="five")) for number in range(5)]
        states = [await run.wait(180) for run in runs]
        assert [state.state for state in states] == [State.SUCCESS] * 5
        assert effects.order() == ["r0", "r1", "r2", "r3", "r4"]

    async def test_who_waits_says_for_whom_and_how_many_come_before(self, site: Site, effects: Effects):
        holder = await site.submit(effects.held("holder", group="Deploy-Prod"))
        await effects.until_begun("holder")
        waiting = [await site.submit(effects.workflow(f"w{number}", 0, group="deploy-prod")) for number in range(3)]
        held = f"concurrency group deploy-prod is held by run {holder.id}"
        assert [await until_queued(run, behind=holder.id) for run in waiting] == [
            f"{held}; this one is next",
            f"{held}; 1 before this one",
            f"{held}; 2 before this one",
        ]
        state = await waiting[2].status()
        assert (state.started, state.concurrency) == (None, "deploy-prod")
        assert [(job.id, job.state) for job in state.jobs] == [("work", State.PENDING)]
        await holder.cancel()
        assert [(await run.wait(180)).state for run in waiting] == [State.SUCCESS] * 3

    async def test_a_list_shows_what_is_queued_and_what_runs(self, site: Site, effects: Effects):
        holder = await site.submit(effects.held("listed", group="listed"))
        waiting = await site.submit(effects.workflow("listed", 0, group="listed"))

        async def listed() -> bool:
            found = {run.id: run.state async for run in site.client.runs(name="listed")}
            return found == {holder.id: State.RUNNING, waiting.id: State.QUEUED}

        await until(listed, "visibility shows one running and one queued run")
        await holder.cancel()
        assert (await waiting.wait(180)).state is State.SUCCESS

    async def test_two_clients_at_once_cannot_get_past_each_other(self, site: Site, effects: Effects):
        async with AsyncClient(site.url) as other:
            submits = [
                client.submit(effects.workflow(f"{name}{number}", 0.1, group="two"))
                for number in range(4)
                for name, client in (("a", site.client), ("b", other))
            ]
            runs = await asyncio.gather(*submits)
            states = await asyncio.gather(*(run.wait(180) for run in runs))
        assert {state.state for state in states} == {State.SUCCESS}
        assert sorted(effects.order()) == sorted(f"{name}{number}" for name in "ab" for number in range(4))

    async def test_a_failed_run_lets_the_next_one_in(self, site: Site, effects: Effects):
        failing = await site.submit("""
            name: failing
            concurrency: failing
            jobs: {work: {runs-on: web, steps: [run: exit 3]}}
        """)
        after = await site.submit(effects.workflow("after", 0, group="failing"))
        assert (await failing.wait(180)).state is State.FAILED
        assert (await after.wait(180)).state is State.SUCCESS


class TestGroup:
    YAML = """
        name: by-input
        on: {{manual: {{inputs: {{stage: {{default: test}}}}}}}}
        concurrency: deploy-${{{{ inputs.stage }}}}
        jobs: {{work: {{runs-on: web, steps: [{step}]}}}}
    """

    async def test_may_be_made_of_inputs(self, site: Site, effects: Effects):
        held = await site.submit(self.YAML.format(step=effects.held_step("held")), inputs={"stage": "prod"})
        await effects.until_begun("held")
        other = await site.run("name: other\nconcurrency: deploy-test\njobs: {a: {runs-on: web, steps: [run: echo]}}")
        assert other.state is State.SUCCESS, "another group is free"
        same = await site.submit(self.YAML.format(step=effects.step("same", 0)), inputs={"stage": "prod"})
        assert "concurrency group deploy-prod is held" in await until_queued(same, behind=held.id)
        default = await site.run(self.YAML.format(step="{run: echo}"))
        assert (default.state, default.concurrency) == (State.SUCCESS, "deploy-test")
        await held.cancel()
        assert (await same.wait(180)).state is State.SUCCESS

    async def test_that_comes_to_nothing_is_refused_at_submit(self, site: Site):
        yaml = "name: a\nconcurrency: ${{ inputs.none }}\non: {manual: {inputs: {none: {type: string}}}}\n"
        with pytest.raises(InvalidRequest) as caught:
            await site.submit(yaml + "jobs: {a: {runs-on: web, steps: [run: echo]}}")
        assert "concurrency.group: must have 1 to 500 characters, not 0" in str(caught.value)

    async def test_has_no_coordinator_any_more_when_nobody_has_used_it_for_a_while(self, site: Site):
        run = await site.run("name: a\nconcurrency: brief\njobs: {a: {runs-on: web, steps: [run: echo]}}")
        assert run.state is State.SUCCESS
        temporal = await connect(site)
        await asyncio.wait_for(temporal.get_workflow_handle(lock_workflow_id("brief")).result(), 120)


class TestCancel:
    async def test_the_newcomer_ends_who_is_there_and_goes_on(self, site: Site, effects: Effects):
        first = await site.submit(effects.held("first", group="latest", on_conflict="cancel"))
        await effects.until_begun("first")
        second = await site.submit(effects.held("second", group="latest"))
        await until_queued(second, behind=first.id)
        third = await site.submit(effects.workflow("third", 0, group="latest", on_conflict="cancel"))
        states = [await run.wait(180) for run in (first, second, third)]
        reason = f"run {third.id} took over concurrency group latest (on-conflict: cancel)"
        assert [(state.state, state.reason) for state in states] == [
            (State.CANCELLED, reason),
            (State.CANCELLED, reason),
            (State.SUCCESS, ""),
        ]
        assert effects.order() == ["first", "third"]

    async def test_is_what_github_calls_cancel_in_progress_also_as_an_expression(self, site: Site, effects: Effects):
        yaml = f"""
            name: progress
            on: {{manual: {{inputs: {{fresh: {{type: boolean, default: false}}}}}}}}
            concurrency: {{group: progress, cancel-in-progress: "${{{{ inputs.fresh }}}}"}}
            jobs: {{work: {{runs-on: web, steps: [{effects.held_step("progress")}]}}}}
        """
        first = await site.submit(yaml)
        await effects.until_begun("progress")
        second = await site.submit(yaml)
        await until_queued(second, behind=first.id)
        third = await site.submit(yaml, inputs={"fresh": True})
        assert [(await run.wait(180)).state for run in (first, second)] == [State.CANCELLED, State.CANCELLED]
        await third.cancel()
        await third.wait(180)


class TestReject:
    async def test_the_newcomer_ends_at_once_and_names_the_holder(self, site: Site, effects: Effects):
        holder = await site.submit(effects.held("holder", group="one-only", on_conflict="reject"))
        await effects.until_begun("holder")
        state = await site.run(effects.workflow("late", 0, group="one-only", on_conflict="reject"))
        assert (state.state, state.reason) == (
            State.CANCELLED,
            f"concurrency group one-only is held by run {holder.id}, and on-conflict is reject",
        )
        assert [(job.id, job.state) for job in state.jobs] == [("work", State.CANCELLED)]
        await holder.cancel()
        await holder.wait(180)
        assert effects.order() == ["holder"]


class TestControlWhileQueued:
    async def test_cancel_leaves_the_line_and_nothing_of_the_run_is_run(self, site: Site, effects: Effects):
        holder = await site.submit(effects.held("holder", group="left"))
        await effects.until_begun("holder")
        leaves = await site.submit(f"""
            name: leaves
            concurrency: left
            jobs:
              work: {{runs-on: web, steps: [{effects.step("leaves", 0)}]}}
              after: {{if: always(), runs-on: web, steps: [{effects.step("after", 0)}]}}
        """)
        last = await site.submit(effects.workflow("last", 0, group="left"))
        assert "1 before this one" in await until_queued(last, behind=holder.id)
        await leaves.cancel("not today")
        state = await leaves.wait(180)
        assert (state.state, state.reason, state.started) == (State.CANCELLED, "not today", None)

        async def moved_up() -> bool:
            return "this one is next" in (await last.status()).reason

        await until(moved_up, "the one behind it moves up")
        await holder.cancel()
        assert (await last.wait(180)).state is State.SUCCESS
        assert effects.order() == ["holder", "last"]


class TestRetry:
    async def test_gets_in_line_too_and_one_that_was_cancelled_there_loses_nothing(self, site: Site, effects: Effects):
        failed = await site.submit(f"""
            name: again
            concurrency: again
            jobs:
              first: {{runs-on: web, steps: [{effects.step("first", 0)}]}}
              second: {{needs: first, runs-on: web, steps: [run: "test -e {effects.path}.mended"]}}
        """)
        assert (await failed.wait(180)).state is State.FAILED
        effects.path.with_suffix(".mended").touch()
        holder = await site.submit(effects.held("holder", group="again"))
        await effects.until_begun("holder")
        cancelled = await retry(site, failed)
        await until_queued(cancelled, behind=holder.id)
        await cancelled.cancel()
        assert (await cancelled.wait(180)).state is State.CANCELLED
        last = await retry(site, cancelled)
        await until_queued(last, behind=holder.id)
        await holder.cancel()
        state = await last.wait(180)
        assert (state.state, state.link) == (State.SUCCESS, failed.id)
        assert effects.order() == ["first", "holder"], "what has succeeded is kept"


class TestRunAt:
    async def test_a_run_that_starts_later_gets_in_line_only_then(self, site: Site, effects: Effects):
        at = datetime.now(UTC) + timedelta(seconds=6)
        yaml = "name: later\nconcurrency: later\njobs: {a: {runs-on: web, steps: [run: echo]}}"
        body = {"yaml": yaml, "run_at": at.isoformat()}
        async with aiohttp.ClientSession() as session, session.post(f"{site.url}/v1/workflows", json=body) as answer:
            later = site.client.run((await answer.json())["id"])
        meanwhile = await site.run(effects.workflow("meanwhile", 0, group="later"))
        assert meanwhile.state is State.SUCCESS
        assert meanwhile.ended is not None
        assert meanwhile.ended < at
        state = await later.wait(180)
        assert state.state is State.SUCCESS
        assert state.started is not None
        assert state.started >= at
