"""Whoever is killed or ended from outside, and whenever: the next one gets its turn, and never too early."""

import asyncio

import pytest
from harness import Site
from harness.site import until

from concurrency._effects import Effects, connect, until_queued
from waterflow_dsl import check
from waterflow_sdk.wire import State, run_workflow_id
from waterflow_server.catalog import NodeCatalog
from waterflow_server.concurrency import LockView, lock_workflow_id
from waterflow_server.engine.worker import WaterflowLock
from waterflow_server.presence import AgentRegistry
from waterflow_server.runs import Runs, Submission, _service


class TestServerKilled:
    async def test_while_one_runs_and_others_wait_the_order_is_kept(self, own_site: Site, effects: Effects):
        site = own_site
        runs = [await site.submit(effects.held("r0"))]
        await effects.until_begun("r0")
        runs += [await site.submit(effects.workflow(f"r{number}", 0.1)) for number in (1, 2)]
        await until_queued(runs[2], behind=runs[0].id)
        site.kill_server()
        await asyncio.sleep(1)  # the outage itself
        await site.start_server()
        effects.let_go("r0")
        runs.append(await site.submit(effects.workflow("r3", 0.1)))
        states = [await run.wait(180) for run in runs]
        assert [state.state for state in states] == [State.SUCCESS] * 4
        assert effects.order() == ["r0", "r1", "r2", "r3"]

    async def test_and_the_holder_ended_through_temporal_meanwhile(self, own_site: Site, effects: Effects):
        site = own_site
        holder = await site.submit(effects.held("holder"))
        await effects.until_begun("holder")
        waiting = await site.submit(effects.workflow("waiting", 0))
        await until_queued(waiting, behind=holder.id)
        site.kill_server()
        temporal = await connect(site)
        await temporal.get_workflow_handle(run_workflow_id(holder.id)).terminate("by hand")
        await site.start_server()
        assert (await waiting.wait(180)).state is State.SUCCESS
        assert effects.order() == ["holder", "waiting"]

    async def test_between_the_start_of_a_run_and_getting_it_in_line(
        self, own_site: Site, effects: Effects, monkeypatch: pytest.MonkeyPatch
    ):
        """The run service is the server's own; it stops where the server is killed."""

        async def killed(*_given: object) -> None:
            """Nothing is done any more."""

        monkeypatch.setattr(_service, "enqueue", killed)
        temporal = await connect(own_site)
        snapshot = await NodeCatalog(AgentRegistry(temporal)).snapshot()
        plan = check(effects.workflow("forgotten", 0), catalog=snapshot.language).plan
        assert plan is not None
        run_id, _ = await Runs(temporal).submit(Submission(plan=plan, retry_safe=snapshot.retry_safe))
        state = await own_site.client.run(run_id).wait(180)
        assert (state.state, state.concurrency) == (State.SUCCESS, "prod")
        assert effects.order() == ["forgotten"]


class TestEndedThroughTemporal:
    @pytest.mark.parametrize("how", ["terminate", "cancel"])
    async def test_a_holder_whose_steps_are_ended_before_the_next_one_begins(
        self, own_site: Site, effects: Effects, how: str
    ):
        site = own_site
        holder = await site.submit(
            f"""
            name: holder
            concurrency: prod
            jobs:
              work:
                runs-on: web
                steps: [{effects.step("holder", 60)}]
                finally: [{effects.step("finally", 2)}]
            """
        )
        await effects.until_begun("holder")
        waiting = [await site.submit(effects.workflow(f"w{number}", 0)) for number in range(2)]
        await until_queued(waiting[1], behind=holder.id)
        temporal = await connect(site)
        await getattr(temporal.get_workflow_handle(run_workflow_id(holder.id)), how)()
        assert [(await run.wait(180)).state for run in waiting] == [State.SUCCESS] * 2
        assert effects.order() == ["holder", "finally", "w0", "w1"]

    async def test_one_that_waits_is_passed_over(self, own_site: Site, effects: Effects):
        site = own_site
        holder = await site.submit(effects.held("holder"))
        await effects.until_begun("holder")
        gone, last = [await site.submit(effects.workflow(name, 0)) for name in ("gone", "last")]
        await until_queued(last, behind=holder.id)
        temporal = await connect(site)
        await temporal.get_workflow_handle(run_workflow_id(gone.id)).terminate()
        await holder.cancel()
        assert (await last.wait(180)).state is State.SUCCESS
        assert effects.order() == ["holder", "last"]

    async def test_a_holder_nobody_waited_for_is_noticed_when_somebody_comes(self, own_site: Site, effects: Effects):
        site = own_site
        holder = await site.submit(effects.held("holder"))
        await effects.until_begun("holder")
        temporal = await connect(site)
        await temporal.get_workflow_handle(run_workflow_id(holder.id)).terminate()
        state = await site.run(effects.workflow("next", 0))
        assert state.state is State.SUCCESS
        assert effects.order() == ["holder", "next"]

    async def test_the_coordinator_itself_whoever_waits_gets_in_line_again(self, own_site: Site, effects: Effects):
        site = own_site
        holder = await site.submit(effects.held("holder"))
        await effects.until_begun("holder")
        waiting = await site.submit(effects.workflow("waiting", 0))
        await until_queued(waiting, behind=holder.id)
        await holder.cancel()
        temporal = await connect(site)
        await temporal.get_workflow_handle(lock_workflow_id("prod")).terminate()
        assert (await waiting.wait(180)).state is State.SUCCESS


class TestTemporalKilled:
    async def test_while_one_runs_and_others_wait_the_order_is_kept(self, own_site: Site, effects: Effects):
        site = own_site
        runs = [await site.submit(effects.held("r0"))]
        await effects.until_begun("r0")
        runs += [await site.submit(effects.workflow(f"r{number}", 0.1)) for number in (1, 2)]
        await until_queued(runs[2], behind=runs[0].id)
        site.temporal.kill()
        await asyncio.sleep(1)  # the outage itself
        await site.temporal.restart()
        effects.let_go("r0")
        states = [await run.wait(90) for run in runs]
        assert [state.state for state in states] == [State.SUCCESS] * 3
        assert effects.order() == ["r0", "r1", "r2"]


class TestManyMembers:
    async def test_the_history_is_cut_and_nobody_is_lost(self, own_site: Site, effects: Effects):
        """Members that get in line by the thousand; the holder is a run that never says that it is done."""
        site = own_site
        holder = await site.submit(effects.held("holder"))
        await effects.until_begun("holder")
        temporal = await connect(site)
        coordinator = temporal.get_workflow_handle_for(WaterflowLock.run, lock_workflow_id("prod"))
        first = (await coordinator.describe()).run_id
        last = await site.submit(effects.workflow("last", 0))
        await until_queued(last, behind=holder.id)
        for number in range(1200):
            await coordinator.signal("release", f"run/nobody-{number}")

        async def cut() -> bool:
            return (await coordinator.describe()).run_id != first

        await until(cut, "the coordinator has continued as new")
        view = await coordinator.query("queue", result_type=LockView)
        expected = LockView(group="prod", holder=run_workflow_id(holder.id), waiting=[run_workflow_id(last.id)])
        assert view == expected
        await holder.cancel()
        assert (await last.wait(180)).state is State.SUCCESS
        assert effects.order() == ["holder", "last"]
