"""Control of a living run, and looking at it from outside."""

import asyncio

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import Conflict, RunNotFound
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW = """
    name: slow
    jobs:
      work:
        runs-on: web
        steps:
          - run: echo started; sleep 60
          - run: echo never
          - {if: always(), run: echo cleanup}
        finally: [run: echo finally]
"""


async def running(run) -> bool:
    job = (await run.status()).jobs[0]
    return bool(job.steps) and job.steps[0].state is State.RUNNING


class TestCancel:
    async def test_ends_the_step_on_its_host_and_still_runs_always_and_finally(self, site: Site):
        run = await site.submit(SLOW)
        await until(lambda: running(run), "the step runs")
        await run.cancel("enough")
        state = await run.wait(180)
        assert (state.state, state.reason) == (State.CANCELLED, "enough")
        assert [step.state for step in state.jobs[0].steps] == [
            State.CANCELLED,
            State.CANCELLED,
            State.SUCCESS,
            State.SUCCESS,
        ]

    async def test_by_force_ends_all_at_once(self, site: Site):
        run = await site.submit(SLOW)
        await until(lambda: running(run), "the step runs")
        await run.cancel("now", force=True)
        state = await run.wait(180)
        assert state.state is State.CANCELLED
        assert {step.state for step in state.jobs[0].steps} == {State.CANCELLED}

    async def test_of_a_run_that_has_ended_is_a_conflict(self, site: Site):
        run = await site.submit("name: short\njobs: {a: {runs-on: web, steps: [run: echo]}}")
        await run.wait(180)
        with pytest.raises(Conflict, match=f"run {run.id} has ended"):
            await run.cancel()


class TestStatus:
    async def test_of_an_unknown_run_says_so(self, site: Site):
        with pytest.raises(RunNotFound, match="no-such-run"):
            await site.client.run("no-such-run").status()

    async def test_list_shows_the_newest_first_with_its_state(self, site: Site):
        first = await site.submit("name: listed\njobs: {a: {runs-on: web, steps: [run: echo]}}", labels=["nightly"])
        await first.wait(180)
        second = await site.submit("name: listed\njobs: {a: {runs-on: web, steps: [run: exit 1]}}", labels=["nightly"])
        await second.wait(180)

        async def listed() -> bool:
            found = [run async for run in site.client.runs(name="listed", label="nightly")]
            return [(run.id, run.state) for run in found] == [
                (second.id, State.FAILED),
                (first.id, State.SUCCESS),
            ]

        await until(listed, "visibility shows both runs with their end")


class TestIdempotency:
    async def test_the_same_key_gives_the_same_run(self, site: Site):
        yaml = "name: once\njobs: {a: {runs-on: web, steps: [run: echo]}}"
        runs = await asyncio.gather(*(site.submit(yaml, idempotency_key="key-1") for _ in range(5)))
        assert len({run.id for run in runs}) == 1

    async def test_for_another_workflow_is_a_conflict(self, site: Site):
        yaml = "name: {}\njobs: {{a: {{runs-on: web, steps: [run: echo]}}}}"
        await site.submit(yaml.format("one"), idempotency_key="key-2")
        with pytest.raises(Conflict, match="the idempotency key 'key-2' was used before"):
            await site.submit(yaml.format("two"), idempotency_key="key-2")


class TestLogs:
    async def test_followed_live_each_line_once_with_its_place(self, site: Site):
        run = await site.submit("""
            name: talk
            jobs:
              work:
                runs-on: {agent: web-01}
                steps:
                  - run: for i in 1 2 3; do echo "line $i"; sleep 0.1; done; echo oops >&2
        """)
        lines = [line async for line in run.logs(follow=True)]
        said = [(line.job, line.agent, line.stream.value, line.text) for line in lines if line.event is None]
        assert said == [
            ("work", "web-01", "stdout", "line 1"),
            ("work", "web-01", "stdout", "line 2"),
            ("work", "web-01", "stdout", "line 3"),
            ("work", "web-01", "stderr", "oops"),
        ]
        assert [line.event.value for line in lines if line.event] == ["step-started", "step-ended"]


class TestSecrets:
    async def test_are_masked_in_logs_outputs_and_errors(self, site: Site):
        secret = "tops3cret-value"
        run = await site.submit(
            """
            name: hush
            secrets: {TOKEN: {required: true}}
            jobs:
              work:
                runs-on: web
                steps:
                  - {env: {T: "${{ secrets.TOKEN }}"}, run: 'echo "token $T"; echo "$T" | base64; exit 1'}
            """,
            secrets={"TOKEN": secret},
        )
        state = await run.wait(180)
        text = "\n".join([line.text async for line in run.logs()])
        assert "token ***" in text
        assert secret not in text
        assert secret not in str(state)
