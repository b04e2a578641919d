"""What follows the steps, in every ending: rollback, then ``on-failure``, then ``finally``; the first error stays."""

from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(path: Path) -> list[str]:
    """What the steps have written; nothing before the first one did."""
    return path.read_text().split() if path.exists() else []


class TestTheFirstError:
    @pytest.mark.parametrize("worse", ["rollback", "on-failure", "finally"])
    async def test_is_not_hidden_by_one_that_follows(self, site: Site, worse: str):
        """What is to put things right goes wrong too: that is shown apart."""
        codes = {name: 9 if name == worse else 0 for name in ("rollback", "on-failure", "finally")}
        run = await site.submit(f"""
            jobs:
              work:
                runs-on: web
                steps:
                  - {{run: 'true', rollback: {{run: exit {codes["rollback"]}}}}}
                  - {{id: broken, name: broken, run: exit 4}}
                on-failure: [{{run: exit {codes["on-failure"]}}}]
                finally: [{{run: exit {codes["finally"]}}}]
        """)
        state = await run.wait(180)
        assert state.error is not None
        assert "step 'broken' on web-" in state.error.message
        assert "exit code 4" in state.error.message
        steps = (await run.status()).jobs[0].steps
        assert [step.attempts[-1].exit_code for step in steps if step.state is State.FAILED] == [4, 9]


class TestAFailingFinally:
    async def test_of_a_job_that_succeeded_is_shown_at_its_step_alone(self, site: Site):
        run = await site.submit("jobs: {work: {runs-on: web, steps: [run: 'true'], finally: [run: exit 9]}}")
        state = await run.wait(180)
        assert (state.state, state.error) == (State.SUCCESS, None)
        assert [step.state for step in (await run.status()).jobs[0].steps] == [State.SUCCESS, State.FAILED]


class TestEveryEnding:
    FILE = """
        LIMIT
        jobs:
          work:
            runs-on: web
            steps:
              - {run: echo done >> EFFECTS, rollback: {run: echo undone >> EFFECTS}}
              - {run: sleep 600}
            finally: [run: echo finally >> EFFECTS]
    """

    async def test_a_cancel(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(self.FILE.replace("LIMIT", "").replace("EFFECTS", str(effects)))

        async def runs() -> bool:
            steps = (await run.status()).jobs[0].steps
            return len(steps) > 1 and steps[1].state is State.RUNNING

        await until(runs, "the second step runs")
        await run.cancel("enough")
        assert (await run.wait(180)).state is State.CANCELLED
        assert lines(effects)[-1] == "finally"

    async def test_a_time_out_from_an_expression(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        file = self.FILE.replace("LIMIT", 'timeout: "${{ vars.limit }}"').replace("EFFECTS", str(effects))
        state = await site.run(file, vars={"limit": "5s"})
        assert (state.state, state.reason) == (State.TIMED_OUT, "the run took longer than 5 s")
        assert lines(effects)[-1] == "finally"


class TestRetry:
    async def test_undoes_and_ends_again(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(f"""
            jobs:
              work:
                runs-on: web
                steps:
                  - {{run: echo done >> {effects}, rollback: {{run: echo undone >> {effects}}}}}
                  - {{run: exit 1}}
                finally: [run: echo finally >> {effects}]
        """)
        assert (await run.wait(180)).state is State.FAILED
        again = await run.retry()
        assert (await again.wait(180)).state is State.FAILED
        assert lines(effects) == ["done", "undone", "finally", "undone", "finally"]


class TestTimersInAPause:
    async def test_go_on(self, site: Site, tmp_path: Path):
        """A sleep that ends while the run is paused has ended; only what follows it waits."""
        effects = tmp_path / "effects"
        run = await site.submit(f"""
            jobs:
              work:
                runs-on: web
                steps: [{{uses: sleep, with: {{duration: 6s}}}}, {{run: echo after >> {effects}}}]
        """)

        async def sleeps() -> bool:
            jobs = (await run.status()).jobs
            return bool(jobs) and any(step.state is State.RUNNING for step in jobs[0].steps)

        async def slept() -> bool:
            return (await run.status()).jobs[0].steps[0].state is State.SUCCESS

        await until(sleeps, "the sleep has begun")
        await run.pause("lunch")
        await until(slept, "the sleep has ended")
        state = await run.status()
        assert (state.state, state.jobs[0].steps[1].state) == (State.PAUSED, State.PENDING)
        assert lines(effects) == []
        await run.resume()
        assert (await run.wait(180)).state is State.SUCCESS
        assert lines(effects) == ["after"]
