"""An agent is killed while a step runs, and started again: the step runs on, wholly, and is not run twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from harness import Site
from harness.files import lines_of, note_living, until_lines
from harness.processes import lives
from harness.site import until
from secrecy._search import found_below

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State

from ._host import keeper_of, until_gone, until_more

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "correct-horse+battery/staple"


class Counting:
    """A step that prints numbered lines until ``go`` is there, and says the same in a file, so that nothing is lost."""

    def __init__(self, root: Path) -> None:
        self.effects, self.ticks, self.go, self.pid = (root / name for name in ("effects", "ticks", "go", "pid"))

    def script(self, line: str = 'echo "line $i"') -> str:
        """One line, for YAML in quotes or after ``run:``."""
        return (
            f"echo $$ > {self.pid}; echo begin >> {self.effects}; i=0; "
            f"while ! test -e {self.go}; do i=$((i+1)); {line}; echo $i >> {self.ticks}; sleep 0.02; done; "
            f'echo "last=$i" >> "$WATERFLOW_OUTPUT"; echo end >> {self.effects}'
        )

    @property
    def count(self) -> int:
        """How many lines it has printed; final when it has ended."""
        return len(lines_of(self.ticks))


def work(agent: str, script: str, *, more: str = "", loss: str = "{policy: fail}") -> str:
    return f"""
        name: adopted
        jobs:
          work:
            runs-on: {{agent: {agent}}}
            agent-loss: {loss}
            steps:
              - id: count
                {more or "continue-on-error: false"}
                run: |
                  {script}
            outputs: {{last: "${{{{ steps.count.outputs.last }}}}"}}
    """


async def output_of(run: Run) -> list[str]:
    return [line.text async for line in run.logs() if line.event is None]


async def restart(site: Site, name: str) -> None:
    site.agents[name].kill()
    site.start_agent(name)
    await site.until_online(name)


class TestStepThatRunsOn:
    async def test_ends_well_with_each_line_once_over_two_restarts(self, shared: Site, tmp_path: Path):
        shared.start_agent("twice")
        await shared.until_online("twice")
        step = Counting(tmp_path)
        run = await shared.submit(work("twice", step.script()))
        await until_lines(step.ticks, 10)
        for _time in range(2):
            shared.agents["twice"].kill()
            await until_more(step.ticks)  # it runs on while nobody is there
            shared.start_agent("twice")
            await shared.until_online("twice")
            await until_more(step.ticks)
        step.go.touch()
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        (attempt,) = state.jobs[0].steps[0].attempts
        assert (attempt.number, attempt.lost, attempt.exit_code) == (1, 0, 0)
        assert lines_of(step.effects) == ["begin", "end"]
        assert state.jobs[0].outputs == {"last": str(step.count)}
        assert await output_of(run) == [f"line {number}" for number in range(1, step.count + 1)]
        assert attempt.log is not None
        assert attempt.log.lines == step.count + 2

    async def test_secrets_are_masked_and_nowhere_on_the_disk(self, shared: Site, tmp_path: Path):
        agent = shared.start_agent("secret")
        await shared.until_online("secret")
        step = Counting(tmp_path)
        given = "secrets: {TOKEN: {required: true}}"
        script = step.script('printf "%s " "$TOKEN"; echo "$i ${TOKEN}"').replace("echo begin", "echo begin", 1)
        yaml = work("secret", script, more='env: {TOKEN: "${{ secrets.TOKEN }}"}').replace(
            "        jobs:", f"        {given}\n        jobs:", 1
        )
        run = await shared.submit(yaml, secrets={"TOKEN": SECRET})
        await until_lines(step.ticks, 10)
        agent.kill()
        await until_more(step.ticks)
        assert found_below(agent.state_dir, {"TOKEN": SECRET}, but=("work/",)) == {}
        assert list((agent.state_dir / "transcripts").iterdir())
        shared.start_agent("secret")
        await shared.until_online("secret")
        await until_more(step.ticks)
        step.go.touch()
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        assert await output_of(run) == [f"*** {number} ***" for number in range(1, step.count + 1)]
        assert found_below(agent.state_dir, {"TOKEN": SECRET}, but=("work/",)) == {}
        assert list((agent.state_dir / "transcripts").iterdir()) == []

    async def test_that_ends_while_no_agent_is_there_is_reported_by_the_next_one(self, shared: Site, tmp_path: Path):
        shared.start_agent("ended")
        await shared.until_online("ended")
        step = Counting(tmp_path)
        run = await shared.submit(work("ended", step.script() + "; exit 3"))
        await until_lines(step.ticks, 10)
        shared.agents["ended"].kill()
        step.go.touch()
        await until_lines(step.effects, 2)
        await until_gone(int(step.pid.read_text()), "the step has ended")
        shared.start_agent("ended")
        state = await run.wait(180)
        (attempt,) = state.jobs[0].steps[0].attempts
        assert attempt.error is not None
        assert (state.state, attempt.exit_code, attempt.error.code) == (State.FAILED, 3, "process-failed")
        assert await output_of(run) == [f"line {number}" for number in range(1, step.count + 1)]
        assert lines_of(step.effects) == ["begin", "end"]


class TestAdoptedStep:
    async def test_is_cancelled_as_any_other(self, shared: Site, tmp_path: Path):
        shared.start_agent("cancel")
        await shared.until_online("cancel")
        step = Counting(tmp_path)
        run = await shared.submit(work("cancel", step.script()))
        await until_lines(step.ticks, 5)
        await restart(shared, "cancel")
        await until_more(step.ticks, 5)
        await run.cancel("enough")
        state = await run.wait(180)
        assert state.state is State.CANCELLED
        assert state.jobs[0].steps[0].state is State.CANCELLED
        assert not lives(int(step.pid.read_text()))
        assert await output_of(run) == [f"line {number}" for number in range(1, step.count + 1)]

    async def test_has_its_time_out_from_its_start(self, shared: Site, tmp_path: Path):
        """Counted anew, it would have 15 s from the restart; it is away for longer than that."""
        shared.start_agent("timeout")
        await shared.until_online("timeout")
        step = Counting(tmp_path)
        run = await shared.submit(work("timeout", step.script(), more="timeout: 6s"))
        await until_lines(step.ticks, 5)
        shared.agents["timeout"].kill()
        await until_lines(step.ticks, 350)  # at most 50 lines a second, the time is over
        shared.start_agent("timeout")
        state = await run.wait(180)
        (attempt,) = state.jobs[0].steps[0].attempts
        assert attempt.error is not None
        assert (attempt.state, attempt.error.message) == (
            State.TIMED_OUT,
            "the step did not end within 6 s and was killed",
        )
        assert await output_of(run) == [f"line {number}" for number in range(1, step.count + 1)]
        assert not lives(int(step.pid.read_text()))

    async def test_is_ended_when_the_keeper_is_killed(self, shared: Site, tmp_path: Path):
        agent = shared.start_agent("keeper")
        await shared.until_online("keeper")
        step = Counting(tmp_path)
        run = await shared.submit(work("keeper", step.script()))
        await until_lines(step.ticks, 5)
        os.kill(keeper_of(agent), signal.SIGKILL)
        state = await run.wait(180)
        (attempt,) = state.jobs[0].steps[0].attempts
        assert attempt.error is not None
        assert (attempt.state, attempt.error.code, attempt.error.message) == (
            State.FAILED,
            "agent-restarted",
            "the agent lost the process that kept those of the step, so it ended the step",
        )
        assert not lives(int(step.pid.read_text()))
        after = await shared.run("{name: after, jobs: {work: {runs-on: {agent: keeper}, steps: [{run: 'true'}]}}}")
        assert after.state is State.SUCCESS


class TestFence:
    async def test_a_host_without_its_agent_ends_the_step_before_another_one_starts_it(
        self, shared: Site, tmp_path: Path
    ):
        pids, ticks, overlap = tmp_path / "pids", tmp_path / "ticks", tmp_path / "overlap"
        for name in ("fence-01", "fence-02"):
            shared.start_agent(name, ["fence"])
        await shared.until_online("fence-01", "fence-02")
        run = await shared.submit(f"""
            name: fenced
            jobs:
              work:
                runs-on: fence
                agent-loss: {{policy: reassign, for: 1s}}
                steps:
                  - heartbeat-timeout: 2s
                    run: |
                      echo "${{{{ agent.name }}}}" >> {tmp_path}/names
                      echo $$ >> {pids}
                      if test $(wc -l < {pids}) = 1; then
                        trap "" TERM
                        setsid sh -c 'echo $$ >> {pids}; trap "" TERM; sleep 300' &
                        while :; do echo tick >> {ticks}; sleep 0.05; done
                      fi
                      {note_living(pids, 2, overlap)}
                      wc -l < {ticks} > {tmp_path}/at-second
        """)
        both = await until_lines(pids, 2)
        await until_lines(ticks, 5)
        (first,) = lines_of(tmp_path / "names")
        keeper = keeper_of(shared.agents[first])
        shared.agents[first].kill()
        state = await run.wait(120)
        assert state.state is State.SUCCESS, state.error
        assert lines_of(overlap) == []
        assert not any(lives(int(pid)) for pid in both)
        assert len(lines_of(ticks)) == int((tmp_path / "at-second").read_text())
        shared.start_agent(first)
        await shared.until_online(first)
        assert len(lines_of(tmp_path / "names")) == 2

        async def let_go() -> bool:
            return list((shared.agents[first].state_dir / "transcripts").iterdir()) == []

        await until(let_go, "nothing of it is kept")
        assert lives(keeper)
