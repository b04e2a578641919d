"""One attempt, one execution: over outages of the network, of Temporal and of the agent."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from harness.site import until
from temporalio.client import WorkflowFailureError

from waterflow_sdk.wire import AgentStatus, State

from .conftest import LIMIT, Site, runs, until_file
from .proxy import Proxy

SHORT = 2.0
"""Seconds without a heartbeat after which an attempt counts as lost, where that is what is tested."""

FENCE = 6.0
"""Seconds without contact after which a step ends itself. On a busy machine, contact may come seconds late."""


async def until_gone(pid: int) -> None:
    """Waits until the process runs no more."""

    async def gone() -> bool:
        return not runs(pid)

    await until(gone, f"process {pid} has ended")


def counted(marks: Path, then: str) -> str:
    """A script that leaves its process id, so that executions can be counted, and then does something."""
    return f"echo $$ >> {marks}; {then}"


class TestCancel:
    async def test_ends_the_process_at_once(self, site: Site, tmp_path: Path) -> None:
        await site.start_agent("web-01")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 600")), heartbeat=600.0)
        (pid,) = await until_file(marks)
        start = time.perf_counter()
        await handle.cancel()
        delivered = await handle.result()
        assert time.perf_counter() - start < 120  # of 600 until a lost heartbeat would tell it
        assert delivered.outcome is not None
        assert delivered.outcome.state is State.CANCELLED
        assert not runs(int(pid))


class TestPartition:
    async def test_the_living_step_is_adopted(self, site: Site, tmp_path: Path) -> None:
        async with Proxy(site.temporal.address) as proxy:
            await site.start_agent("web-01", address=proxy.address)
            marks = tmp_path / "marks"
            handle = await site.deliver(
                site.task("web-01", counted(marks, "sleep 6; echo done")), times=5, heartbeat=SHORT
            )
            await until_file(marks)
            proxy.cut()
            await asyncio.sleep(4)  # longer than the heartbeat time-out
            proxy.heal()
            delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.outcome.adopted) == (State.SUCCESS, True)
        assert delivered.lost
        assert len(marks.read_text().splitlines()) == 1

    async def test_a_step_that_ended_meanwhile_is_not_executed_again(self, site: Site, tmp_path: Path) -> None:
        async with Proxy(site.temporal.address) as proxy:
            await site.start_agent("web-01", address=proxy.address)
            marks = tmp_path / "marks"
            handle = await site.deliver(site.task("web-01", counted(marks, "sleep 1")), times=5, heartbeat=SHORT)
            await until_file(marks)
            proxy.cut()
            await asyncio.sleep(4)
            proxy.heal()
            delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.outcome.adopted) == (State.SUCCESS, True)
        assert len(marks.read_text().splitlines()) == 1

    async def test_a_fenced_step_ends_itself(self, site: Site, tmp_path: Path) -> None:
        async with Proxy(site.temporal.address) as proxy:
            await site.start_agent("web-01", address=proxy.address)
            marks = tmp_path / "marks"
            task = site.task("web-01", counted(marks, "sleep 600"), fence_after=FENCE)
            handle = await site.deliver(task, times=5, heartbeat=SHORT, to_start=60.0)
            (pid,) = await until_file(marks)
            await asyncio.sleep(FENCE + 1)  # contact keeps it alive beyond its fence time
            assert runs(int(pid))
            proxy.cut()
            await until_gone(int(pid))
            proxy.heal()
            delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.error is not None
        assert delivered.outcome.error.code == "fenced"

    async def test_a_ghost_starts_nothing(self, site: Site, tmp_path: Path) -> None:
        """A poll that was open when the network was cut takes a task that has timed out long before it heals."""
        async with Proxy(site.temporal.address) as proxy:
            await site.start_agent("web-01", address=proxy.address)
            marks = tmp_path / "marks"
            warm = await site.deliver(site.task("web-01", "true"))
            assert (await warm.result()).lost == []
            proxy.cut()
            task = site.task("web-01", counted(marks, "sleep 1"))
            delivered = await (await site.deliver(task, times=1, to_start=5.0)).result()
            assert delivered.outcome is None
            proxy.heal()
            after = await site.deliver(site.task("web-01", "true"))
            assert (await after.result()).outcome is not None
        assert not marks.exists()


class TestFrozenAgent:
    async def test_woken_up_it_goes_on_with_its_step(self, site: Site, tmp_path: Path) -> None:
        agent = await site.start_agent("web-01")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 5")), times=5, heartbeat=SHORT)
        await until_file(marks)
        agent.send_signal(signal.SIGSTOP)
        await asyncio.sleep(3.5)
        agent.send_signal(signal.SIGCONT)
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.outcome.adopted) == (State.SUCCESS, True)
        assert len(marks.read_text().splitlines()) == 1


class TestKilledAgent:
    async def test_started_again_it_adopts_the_step(self, site: Site, tmp_path: Path) -> None:
        """Its activity is kept alive and completed, so it is delivered once."""
        agent = await site.start_agent("web-01")
        marks, go = tmp_path / "marks", tmp_path / "go"
        script = counted(marks, f"while ! test -e {go}; do sleep 0.05; done; exit 7")
        handle = await site.deliver(site.task("web-01", script), heartbeat=60.0)
        (pid,) = await until_file(marks)
        agent.kill()
        agent.wait(LIMIT)
        await site.start_agent("web-01")
        assert runs(int(pid))
        go.touch()
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.outcome.exit_code) == (State.FAILED, 7)
        assert delivered.outcome.adopted
        assert len(marks.read_text().splitlines()) == 1

    async def test_when_its_activity_was_lost_meanwhile_the_step_is_adopted_with_the_next_one(
        self, site: Site, tmp_path: Path
    ) -> None:
        agent = await site.start_agent("web-01")
        marks, go = tmp_path / "marks", tmp_path / "go"
        script = counted(marks, f"while ! test -e {go}; do sleep 0.05; done")
        handle = await site.deliver(site.task("web-01", script), times=5, heartbeat=SHORT, to_start=30.0)
        await until_file(marks)
        agent.kill()
        agent.wait(LIMIT)
        await asyncio.sleep(4)  # longer than the heartbeat time-out
        await site.start_agent("web-01")
        go.touch()
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.outcome.adopted) == (State.SUCCESS, True)
        assert len(marks.read_text().splitlines()) == 1

    async def test_without_its_keeper_it_ends_what_was_left_and_says_so(self, site: Site, tmp_path: Path) -> None:
        agent = await site.start_agent("web-01")
        marks = tmp_path / "marks"
        script = counted(marks, f"setsid sh -c 'echo $$ >> {marks}; exec sleep 60' & sleep 60")
        handle = await site.deliver(site.task("web-01", script), times=5, heartbeat=SHORT, to_start=30.0)
        pids = [int(pid) for pid in await until_file(marks, 2)]
        keeper = int((site.root / "web-01/keeper.lock").read_text())
        agent.kill()
        agent.wait(LIMIT)
        os.kill(keeper, signal.SIGKILL)
        assert all(runs(pid) for pid in pids)
        await site.start_agent("web-01")
        assert not any(runs(pid) for pid in pids)
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.error is not None
        assert (delivered.outcome.state, delivered.outcome.error.code) == (State.FAILED, "agent-restarted")
        assert len(marks.read_text().splitlines()) == 2


class TestTemporalDown:
    async def test_killed_for_longer_than_the_heartbeat_time_out(self, site: Site, tmp_path: Path) -> None:
        await site.start_agent("web-01")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 8; echo done")), times=5, heartbeat=SHORT)
        await until_file(marks)
        site.temporal.kill()
        await asyncio.sleep(4)
        await site.temporal.restart()
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.state is State.SUCCESS
        assert len(marks.read_text().splitlines()) == 1


class TestEndedRun:
    async def test_a_step_of_a_run_that_was_terminated_is_ended(self, site: Site, tmp_path: Path) -> None:
        await site.start_agent("web-01")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 600")), heartbeat=5.0)
        (pid,) = await until_file(marks)
        await handle.terminate()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        await until_gone(int(pid))


class TestDrain:
    async def test_running_steps_finish_and_the_agent_says_bye(self, site: Site, tmp_path: Path) -> None:
        agent = await site.start_agent("web-01")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 2")))
        await until_file(marks)
        agent.send_signal(signal.SIGTERM)
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.lost) == (State.SUCCESS, [])
        assert await asyncio.to_thread(agent.wait, LIMIT) == 0

        async def stopped() -> bool:
            state = await site.registry.get("web-01")
            return state is not None and (state.status, state.reason) == (AgentStatus.OFFLINE, "it was stopped")

        await until(stopped, "presence says that the agent was stopped")

    async def test_after_the_grace_period_they_are_ended(self, site: Site, tmp_path: Path) -> None:
        agent = await site.start_agent("web-01", "--stop-grace", "0.5")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", counted(marks, "sleep 60")))
        await until_file(marks)
        agent.send_signal(signal.SIGTERM)
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.error is not None
        assert delivered.outcome.error.message == (
            "the agent was stopped, and the step did not end within the grace period of 0.5 s"
        )
        assert await asyncio.to_thread(agent.wait, LIMIT) == 0
