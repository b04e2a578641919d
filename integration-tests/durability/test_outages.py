"""The processes of Waterflow are killed in the middle of a run; the run ends right all the same."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from harness import Site
from harness.processes import lives
from harness.site import until

from waterflow_sdk.wire import State

from ._host import kill_with_keeper

HEARTBEAT = 3.0


def lines_of(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def end_group(pid_file: Path) -> None:
    """End the orphan of a killed agent, by the id that it wrote down itself."""
    for pid in pid_file.read_text().split() if pid_file.exists() else ():
        try:
            os.killpg(os.getpgid(int(pid)), signal.SIGKILL)
        except ProcessLookupError:
            continue


class TestServerKilled:
    async def test_the_run_ends_right_and_a_follower_gets_every_line_once(self, site: Site):
        run = await site.submit("""
            name: counting
            jobs:
              count:
                runs-on: {agent: web-01}
                steps:
                  - run: for i in $(seq 1 60); do echo "line $i"; sleep 0.1; done
                  - {id: after, run: 'echo "done=yes" >> "$WATERFLOW_OUTPUT"'}
                outputs: {done: "${{ steps.after.outputs.done }}"}
        """)
        seen: list[str] = []
        twentieth = asyncio.Event()

        async def follow() -> None:
            async for line in run.logs(follow=True):
                if line.event is None:
                    seen.append(line.text)
                    if line.text == "line 20":
                        twentieth.set()

        following = asyncio.create_task(follow())
        await asyncio.wait_for(twentieth.wait(), 120)
        site.kill_server()
        await asyncio.sleep(1)  # the outage itself: the step goes on printing meanwhile
        await site.start_server()
        state = await run.wait(180)
        await asyncio.wait_for(following, 120)
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].outputs == {"done": "yes"}
        assert seen == [f"line {number}" for number in range(1, 61)]


class TestCancelByForce:
    @pytest.mark.parametrize("asked_before", [False, True], ids=["at-once", "after-a-cancel"])
    async def test_does_not_wait_for_an_agent_that_is_gone(self, site: Site, tmp_path: Path, asked_before: bool):
        pid = tmp_path / "pid"
        run = await site.submit(f"""
            name: gone
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps: [run: echo $$ > {pid}; exec sleep 600]
        """)

        async def runs() -> bool:
            return bool(lines_of(pid))

        try:
            await until(runs, "the step runs")
            site.agents["web-01"].kill()
            if asked_before:
                await run.cancel("enough")
            await run.cancel("enough", force=True)
            state = await run.wait(180)
        finally:
            end_group(pid)
        step = state.jobs[0].steps[0]
        assert (state.state, step.state) == (State.CANCELLED, State.CANCELLED)
        assert step.error.message == "enough"  # waited for, it would say that the agent could not be reached


class TestTemporalKilled:
    async def test_for_longer_than_the_heartbeat_the_step_is_adopted_and_not_run_twice(
        self, site: Site, tmp_path: Path
    ):
        effects = tmp_path / "effects"
        run = await site.submit(f"""
            name: long-step
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps:
                  - run: |
                      echo begin >> {effects}
                      sleep {HEARTBEAT * 4}
                      echo end >> {effects}
                      echo "result=42" >> "$WATERFLOW_OUTPUT"
                    id: work
                    heartbeat-timeout: {HEARTBEAT:g}s
                  - run: echo after >> {effects}
        """)

        async def begun() -> bool:
            return bool(lines_of(effects))

        await until(begun, "the step has begun")
        site.temporal.kill()
        await asyncio.sleep(HEARTBEAT * 2)  # the outage itself
        await site.temporal.restart()
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        assert lines_of(effects) == ["begin", "end", "after"]
        step = state.jobs[0].steps[0]
        assert step.outputs["result"] == "42"
        assert [attempt.number for attempt in step.attempts] == [1]


class TestAgentKilled:
    async def test_its_step_goes_to_another_agent_of_the_group_where_the_policy_says_so(
        self, site: Site, tmp_path: Path
    ):
        starts, pids = tmp_path / "starts", tmp_path / "pids"
        run = await site.submit(f"""
            name: reassign
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: reassign, for: 1s}}
                steps:
                  - heartbeat-timeout: 2s
                    run: |
                      echo "$$" >> {pids}
                      echo "${{{{ agent.name }}}}" >> {starts}
                      test $(wc -l < {starts}) -gt 1 || sleep 120
        """)

        async def begun() -> bool:
            return len(lines_of(starts)) == 1

        await until(begun, "the step has begun")
        first = lines_of(starts)[0]
        try:
            site.agents[first].kill()
            state = await run.wait(180)
        finally:
            end_group(pids)
        other = {"web-01": "web-02", "web-02": "web-01"}[first]
        assert state.state is State.SUCCESS, state.error
        attempts = state.jobs[0].steps[0].attempts
        assert [(attempt.state, attempt.agent.name) for attempt in attempts] == [
            (State.FAILED, first),
            (State.SUCCESS, other),
        ]
        assert attempts[0].error.code == "agent-lost"

    async def test_without_a_policy_a_step_that_may_have_had_an_effect_fails_with_the_reason(
        self, site: Site, tmp_path: Path
    ):
        pids = tmp_path / "pids"
        run = await site.submit(f"""
            name: lost
            jobs:
              work:
                runs-on: {{agent: web-01}}
                agent-loss: {{policy: fail, for: 1s}}
                steps: [{{run: 'echo $$ > {pids}; sleep 120', heartbeat-timeout: 2s}}]
        """)

        async def begun() -> bool:
            return bool(lines_of(pids))

        await until(begun, "the step has begun")
        try:
            site.agents["web-01"].kill()
            state = await run.wait(180)
        finally:
            end_group(pids)
        assert state.state is State.FAILED
        assert "lost contact with agent web-01" in state.error.message

    async def test_with_its_keeper_it_ends_what_it_left_behind_at_the_next_start(self, site: Site, tmp_path: Path):
        pids = tmp_path / "pids"
        run = await site.submit(f"""
            name: restarted
            jobs:
              work:
                runs-on: {{agent: web-01}}
                steps: [{{run: 'echo $$ > {pids}; sleep 120', heartbeat-timeout: 2s}}]
        """)

        async def begun() -> bool:
            return bool(lines_of(pids))

        await until(begun, "the step has begun")
        pid = int(lines_of(pids)[0])
        kill_with_keeper(site.agents["web-01"])
        site.start_agent("web-01")
        state = await run.wait(180)
        assert state.state is State.FAILED
        assert state.jobs[0].steps[0].attempts[0].error.code == "agent-restarted"
        assert not lives(pid)
