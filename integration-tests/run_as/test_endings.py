"""Steps with `run-as` end as any other: with all their processes, though these are another user's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from durability._host import kill_with_keeper
from harness.site import until

from waterflow_sdk.wire import State

from .conftest import DEPUTY, Deputies

pytestmark = pytest.mark.asyncio(loop_scope="session")

OURS = f"600.{os.getpid()}"
"""How long processes sleep, by which they are found: what other runs of these tests have left is not taken for ours."""


def living(marker: str) -> list[int]:
    """Processes that run and have this word among their arguments."""
    found: list[int] = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0") if process.name.isdecimal() else []
            if marker.encode() in words and (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(process.name))
    return found


async def started(*markers: str) -> None:
    async def all_there() -> bool:
        return all(living(marker) for marker in markers)

    await until(all_there, f"processes {', '.join(markers)} run")


async def gone(*markers: str) -> None:
    async def none_there() -> bool:
        return not any(living(marker) for marker in markers)

    await until(none_there, f"processes {', '.join(markers)} have ended")


def workflow(name: str, agent: str = "deputy", loss: str = "fail", silence: str = "30s") -> str:
    """Processes in the group of the step, and out of its session."""
    return f"""
        jobs:
          a:
            runs-on: {agent}
            agent-loss: {loss}
            steps:
              - run-as: nobody
                heartbeat-timeout: {silence}
                run: |
                  sleep {OURS}{name}1 &
                  setsid sleep {OURS}{name}2 &
                  sleep {OURS}{name}3
    """


def markers(name: str) -> list[str]:
    return [f"{OURS}{name}{number}" for number in (1, 2, 3)]


class TestEnd:
    @pytest.mark.parametrize(("agent", "name"), [("deputy", "11"), ("warden", "12")])
    async def test_a_step_that_is_cancelled(self, deputies: Deputies, agent: str, name: str) -> None:
        run = await deputies.site.submit(workflow(name, agent=agent))
        await started(*markers(name))
        await run.cancel("enough")
        assert (await run.wait(180)).state is State.CANCELLED
        assert [living(each) for each in markers(name)] == [[], [], []]

    async def test_what_a_step_leaves_behind(self, deputies: Deputies) -> None:
        state = await deputies.site.run(f"""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    run: |
                      sleep {OURS}21 >/dev/null 2>&1 &
                      setsid sleep {OURS}22 >/dev/null 2>&1 &
        """)
        assert state.state is State.SUCCESS
        assert [living(f"{OURS}21"), living(f"{OURS}22")] == [[], []]

    async def test_one_that_does_not_heed_the_first_signal(self, deputies: Deputies) -> None:
        state = await deputies.site.run(f"""
            jobs:
              a:
                runs-on: deputy
                steps:
                  - run-as: nobody
                    timeout: 1s
                    run: trap '' TERM; sleep {OURS}31 & while true; do wait; done
        """)
        assert state.jobs[0].steps[0].state is State.TIMED_OUT
        assert living(f"{OURS}31") == []

    async def test_a_step_that_is_killed_says_by_which_signal(self, deputies: Deputies) -> None:
        state = await deputies.site.run("""
            jobs:
              a: {runs-on: deputy, steps: [{run-as: nobody, run: kill -KILL $$}]}
        """)
        error = state.jobs[0].steps[0].attempts[0].error
        assert error is not None
        assert error.message == "the script was ended by SIGKILL (exit code 137)"

    async def test_one_whose_agent_is_killed_is_adopted_and_runs_on(self, deputies: Deputies) -> None:
        marker = f"8.{os.getpid()}61"
        run = await deputies.site.submit(f"""
            name: adopted
            jobs:
              a: {{runs-on: deputy, steps: [{{run-as: nobody, run: echo one; sleep {marker}; id -un}}]}}
        """)
        await started(marker)
        deputies.site.agents["deputy"].kill()
        deputies.start("deputy", **DEPUTY)
        state = await run.wait(90)
        assert state.state is State.SUCCESS, state.error
        assert [line.text async for line in run.logs() if line.event is None] == ["one", "nobody"]

    async def test_what_a_killed_agent_left_behind(self, deputies: Deputies) -> None:
        run = await deputies.site.submit(workflow("41"))
        await started(*markers("41"))
        kill_with_keeper(deputies.site.agents["deputy"])
        deputies.start("deputy", **DEPUTY)
        state = await run.wait(90)
        error = state.jobs[0].steps[0].attempts[0].error
        assert error is not None
        assert error.code == "agent-restarted"
        assert [living(each) for each in markers("41")] == [[], [], []]

    async def test_a_step_that_is_fenced(self, deputies: Deputies) -> None:
        """Temporal is away for longer than the step may be without contact."""
        run = await deputies.site.submit(workflow("51", loss="reassign", silence="3s"))
        await started(*markers("51"))
        async with _without_temporal(deputies):
            await gone(*markers("51"))
        await run.cancel("seen enough")
        await run.wait(90)


@contextlib.asynccontextmanager
async def _without_temporal(deputies: Deputies) -> AsyncGenerator[None]:
    deputies.site.temporal.kill()
    try:
        yield
    finally:
        await deputies.site.temporal.restart()
