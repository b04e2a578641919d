"""The network of an agent is cut for longer than its heartbeats: nothing runs twice, whatever the policy says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from harness.files import files_below, lines_of, note_living, until_lines
from harness.processes import lives
from harness.site import until
from logs._tally import Tally, tally_of_spool

from waterflow_sdk.client import Run
from waterflow_sdk.wire import AgentStatus, AttemptState, RunState, State

from .conftest import Far

pytestmark = [pytest.mark.slow, pytest.mark.alone]

HEARTBEAT = 2
CONTACT_AGAIN = 90.0
"""gRPC and TCP back off while the cable is pulled; how long they do afterwards is theirs."""


def the_attempts(state: RunState) -> list[AttemptState]:
    return list(state.jobs[0].steps[0].attempts)


async def until_lost(run: Run) -> None:
    """The heartbeat time-out has passed, and the run says so."""

    async def lost() -> bool:
        attempts = the_attempts(await run.status())
        return bool(attempts) and attempts[0].reason.startswith("lost contact with agent far-01 at ")

    await until(lost, "the attempt says that its agent is lost")


async def until_called(far: Far, status: AgentStatus) -> None:
    """Presence says so of the agent."""

    async def called() -> bool:
        return {agent.name: agent.status for agent in await far.site.client.agents()}["far-01"] is status

    await until(called, f"far-01 is {status.value}", within=CONTACT_AGAIN)


async def plug(far: Far) -> None:
    """Everything passes again, and presence has heard of the agent: it had called it offline before."""
    await until_called(far, AgentStatus.OFFLINE)
    far.cable.plug()
    await until_called(far, AgentStatus.ONLINE)


async def until_shipped(far: Far, run: Run) -> Tally:
    """Nothing of the run waits in the agent's spool; answers what the server has."""

    async def empty() -> bool:
        return not files_below(far.logs / "open" / run.id)

    await until(empty, "the spool is shipped", within=CONTACT_AGAIN)
    stored = Tally()
    async with run.logs() as log:
        while batch := await log.next_batch():
            stored.take_lines(run.id, batch)
    return stored


def numbered(effects: Path, count: int) -> str:
    """A script that says who it is in a file, and prints numbered lines on and on."""
    return f"echo $$ >> {effects}; i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo $i; sleep 0.05; done"


class TestReassign:
    async def test_the_step_is_fenced_before_another_host_starts_it(self, far: Far, tmp_path: Path):
        pids, ticks, overlap = tmp_path / "pids", tmp_path / "ticks", tmp_path / "overlap"
        first = f"i=0; while :; do i=$((i+1)); echo $i; echo tick >> {ticks}; sleep 0.05; done"
        run = await far.site.submit(f"""
            name: rerouted
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: reassign, for: 1s}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      echo $$ >> {pids}
                      if test $(wc -l < {pids}) = 1; then
                        exec 2> /dev/null  # a shell says that what it started was killed, when it has the time to
                        trap "" TERM
                        setsid sh -c 'echo $$ >> {pids}; trap "" TERM; sleep 300' &
                        {first}
                      fi
                      {note_living(pids, 2, overlap)}
                      wc -l < {ticks} > {tmp_path}/at-second
        """)
        both = await until_lines(pids, 2)
        await until_lines(ticks, 5)
        far.cable.pull()
        far.site.start_agent("near-01")
        state = await run.wait(120)
        assert state.state is State.SUCCESS, state.error
        assert not any(lives(int(pid)) for pid in both)
        assert lines_of(overlap) == []
        assert len(lines_of(ticks)) == int((tmp_path / "at-second").read_text())

        await plug(far)
        stored = await until_shipped(far, run)
        assert stored.problems == []
        spooled = tally_of_spool(far.logs, run.id)
        assert {name: stored.streams[name].digest for name in spooled.streams} == {
            name: stream.digest for name, stream in spooled.streams.items()
        }
        assert len(lines_of(pids)) == 3
        # The outcome of the fenced attempt comes after the end of the run: nobody hears it.
        assert await run.status() == state
        assert [attempt.agent and attempt.agent.name for attempt in the_attempts(state)] == ["far-01", "near-01"]


class TestWait:
    async def test_the_living_step_is_adopted_and_its_lines_arrive_once(self, far: Far, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await far.site.submit(f"""
            name: waiting
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: wait}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      {numbered(effects, 400)}
        """)
        await until_lines(effects, 1)
        far.cable.pull()
        far.site.start_agent("near-01")
        await until_lost(run)
        far.cable.plug()
        state = await run.wait(CONTACT_AGAIN + 60)
        assert state.state is State.SUCCESS, state.error
        (attempt,) = the_attempts(state)
        assert attempt.lost >= 1
        stored = await until_shipped(far, run)
        assert (stored.problems, stored.lines) == ([], 400)
        assert len(lines_of(effects)) == 1

    async def test_a_step_that_ended_meanwhile_is_answered_from_the_journal(self, far: Far, tmp_path: Path):
        effects, go = tmp_path / "effects", tmp_path / "go"
        run = await far.site.submit(f"""
            name: journalled
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: wait}}
                steps:
                  - id: once
                    heartbeat-timeout: {HEARTBEAT}s
                    run: |
                      echo begin >> {effects}
                      while ! test -e {go}; do sleep 0.05; done
                      echo end >> {effects}
                      echo "result=42" >> "$WATERFLOW_OUTPUT"
                outputs: {{result: "${{{{ steps.once.outputs.result }}}}"}}
        """)
        await until_lines(effects, 1)
        far.cable.pull()
        await until_lost(run)
        go.touch()
        await until_lines(effects, 2)
        far.cable.plug()
        state = await run.wait(CONTACT_AGAIN + 60)
        assert state.state is State.SUCCESS, state.error
        assert state.jobs[0].outputs == {"result": "42"}
        assert lines_of(effects) == ["begin", "end"]


class TestFail:
    async def test_a_completion_that_comes_too_late_has_no_effect(self, far: Far, tmp_path: Path):
        effects, go = tmp_path / "effects", tmp_path / "go"
        run = await far.site.submit(f"""
            name: failed
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: fail, for: 3s}}
                steps:
                  - heartbeat-timeout: {HEARTBEAT}s
                    run: echo $$ >> {effects}; while ! test -e {go}; do sleep 0.05; done; echo end >> {effects}
                  - run: echo second >> {effects}
        """)
        await until_lines(effects, 1)
        far.cable.pull()
        far.site.start_agent("near-01")
        state = await run.wait(180)
        (attempt,) = the_attempts(state)
        assert (state.state, attempt.error and attempt.error.code) == (State.FAILED, "agent-lost")
        go.touch()
        await until_lines(effects, 2)  # the step ends well, and nobody can hear it
        await plug(far)
        await until_shipped(far, run)
        assert await run.status() == state
        assert lines_of(effects)[1:] == ["end"]

    async def test_a_step_that_still_runs_is_ended_once_the_agent_hears_that_its_run_is_over(
        self, far: Far, tmp_path: Path
    ):
        effects = tmp_path / "effects"
        run = await far.site.submit(f"""
            name: abandoned
            jobs:
              work:
                runs-on: web
                agent-loss: {{policy: fail, for: 3s}}
                steps: [{{run: 'echo $$ >> {effects}; sleep 300', heartbeat-timeout: {HEARTBEAT}s}}]
        """)
        (pid,) = await until_lines(effects, 1)
        far.cable.pull()
        state = await run.wait(180)
        assert state.state is State.FAILED
        assert lives(int(pid))  # nobody else may start it, so it needs no fence
        far.cable.plug()

        async def ended() -> bool:
            return not lives(int(pid))

        await until(ended, "the process is ended", within=CONTACT_AGAIN)
        await until_shipped(far, run)
        assert await run.status() == state


class TestGhosts:
    async def test_work_that_open_polls_swallow_is_started_once_and_elsewhere(self, far: Far, tmp_path: Path):
        """Right after the cut, the agent still counts as there, and its polls are open: they are given what comes."""
        effects = tmp_path / "effects"
        await far.site.run("{name: warm, jobs: {work: {runs-on: web, steps: [{run: 'true'}]}}}")
        far.site.start_agent("near-01")
        await far.site.until_online("near-01")
        far.cable.pull()
        runs = [
            await far.site.submit(f"""
                name: swallowed
                jobs:
                  work:
                    runs-on: web
                    agent-loss: {{policy: reassign, for: 1s}}
                    steps: [{{run: 'echo {number} >> {effects}', heartbeat-timeout: {HEARTBEAT}s}}]
            """)
            for number in range(6)
        ]
        states = await asyncio.gather(*(run.wait(120) for run in runs))
        assert [state.state for state in states] == [State.SUCCESS] * 6
        await plug(far)
        after = await far.site.run("{name: after, jobs: {work: {runs-on: {agent: far-01}, steps: [{run: 'true'}]}}}")
        assert after.state is State.SUCCESS
        assert sorted(lines_of(effects)) == ["0", "1", "2", "3", "4", "5"]
        assert [await run.status() for run in runs] == states
