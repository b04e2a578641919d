"""``workflow/run``: a step starts another workflow as a run of its own."""

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import InvalidWorkflow, Run
from waterflow_sdk.wire import RunState, State, StepState

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECK = """
name: check
on: {manual: {inputs: {host: {type: string, required: true}, times: {type: number, default: 1}}}}
vars: {mode: short}
secrets: {TOKEN: {required: false}}
jobs:
  look:
    runs-on: web
    env: {WHAT: "${{ inputs.host }} x${{ inputs.times }} ${{ vars.mode }} ${{ secrets.TOKEN != '' }}"}
    steps: [{run: 'echo "$WHAT"'}]
"""

WAITS = "name: waits\njobs: {a: {runs-on: web, steps: [{uses: wait, with: {for: go}}]}}\n"


def _starting(called: str, given: str = "", after: str = "") -> str:
    return f"""
        name: starter
        secrets: {{TOKEN: {{required: false}}}}
        jobs:
          start:
            runs-on: web
            steps:
              - {{id: run, uses: workflow/run, with: {{workflow: {called}{given}}}}}
              {after}
    """


async def _step(run: Run) -> StepState | None:
    jobs = (await run.status()).jobs
    return jobs[0].steps[0] if jobs and jobs[0].steps else None


async def _until_it_waits(run: Run) -> str:
    """The id of the run that the first step waits for."""

    async def waits() -> bool:
        step = await _step(run)
        return step is not None and step.state is State.WAITING

    await until(waits, "the step waits for the run that it started")
    step = await _step(run)
    assert step is not None
    return str(step.outputs["id"])


class TestWaiting:
    async def test_it_is_a_run_of_its_own_with_its_result_and_id_as_outputs(self, site: Site):
        given = ", inputs: {host: db-01, times: 3}, vars: {mode: long}"
        run = await site.submit(_starting("./check.yaml", given), files={"check.yaml": CHECK})
        state = await run.wait(180)
        assert state.state is State.SUCCESS, state.error
        outputs = state.jobs[0].steps[0].outputs
        assert outputs["result"] == "success"
        started = await site.client.run(outputs["id"]).status()
        assert (started.name, started.state, started.parent) == ("check", State.SUCCESS, run.id)
        lines = [line.text async for line in site.client.run(outputs["id"]).logs() if " x3 " in line.text]
        assert lines == ["db-01 x3 long false"]
        assert outputs["id"] in [each.id async for each in site.client.runs(name="check")]

    async def test_a_secret_is_passed_only_by_name(self, site: Site):
        given = ', inputs: {host: a}, secrets: {TOKEN: "${{ secrets.TOKEN }}"}'
        run = await site.submit(
            _starting("./check.yaml", given), files={"check.yaml": CHECK}, secrets={"TOKEN": "s3cret-value"}
        )
        id = (await run.wait(180)).jobs[0].steps[0].outputs["id"]
        assert "a x1 short true" in [line.text async for line in site.client.run(id).logs()]

    async def test_a_failure_fails_the_step_with_its_reason(self, site: Site):
        failing = "name: broken\njobs: {a: {runs-on: web, steps: [{run: exit 4}]}}\n"
        state = await site.run(_starting("./broken.yaml"), files={"broken.yaml": failing})
        step = state.jobs[0].steps[0]
        assert (step.state, step.outputs["result"]) == (State.FAILED, "failure")
        assert step.error is not None
        assert step.error.message.startswith(f"run {step.outputs['id']} (broken): failed: job a: step")

    async def test_a_cancel_is_passed_on(self, site: Site):
        run = await site.submit(_starting("./waits.yaml"), files={"waits.yaml": WAITS})
        id = await _until_it_waits(run)
        await run.cancel("enough")
        state = await run.wait(180)
        assert state.jobs[0].steps[0].state is State.CANCELLED
        started = await site.client.run(id).wait(180)
        assert (started.state, started.reason) == (State.CANCELLED, "enough")

    async def test_while_it_waits_the_run_says_for_which_run(self, site: Site):
        run = await site.submit(_starting("./waits.yaml"), files={"waits.yaml": WAITS})
        id = await _until_it_waits(run)

        async def said() -> bool:  # the run hears of it a moment after its job shows it
            return (await run.status("summary")).reason == f"start: run {id} (waits)"

        await until(said, "the run says for which run it waits")
        await site.client.run(id).send_event("go")
        assert (await run.wait(180)).state is State.SUCCESS


class TestNotWaiting:
    async def test_wait_false_gives_the_id_at_once_and_the_other_goes_on(self, site: Site):
        state: RunState = await site.run(_starting("./waits.yaml", ", wait: false"), files={"waits.yaml": WAITS})
        assert state.state is State.SUCCESS
        outputs = state.jobs[0].steps[0].outputs
        started = site.client.run(outputs["id"])
        assert not (await started.status()).state.ended
        await started.send_event("go")
        assert (await started.wait(180)).state is State.SUCCESS

    async def test_it_may_wait_for_the_group_that_its_starter_holds(self, site: Site):
        """Nobody waits for it, so its turn comes when the starter has ended."""
        group = "concurrency: one-after-the-other\n"
        quick = group + "name: quick\njobs: {a: {runs-on: web, steps: [{run: echo}]}}\n"
        step = "{uses: workflow/run, with: {workflow: ./q.yaml, wait: false}}"
        text = group + f"name: x\njobs: {{s: {{runs-on: web, steps: [{step}]}}}}"
        state = await site.run(text, files={"q.yaml": quick})
        started = site.client.run(state.jobs[0].steps[0].outputs["id"])
        assert (await started.wait(180)).state is State.SUCCESS


class TestLimits:
    async def test_one_that_starts_itself_ends_after_ten_levels(self, site: Site):
        text = "name: itself\njobs: {a: {runs-on: web, steps: [{uses: workflow/run, with: {workflow: ./itself.yaml}}]}}"
        run = await site.submit(text, filename="itself.yaml")
        state = await run.wait(120)
        assert state.state is State.FAILED
        assert "10 runs have started each other; this one starts none" in (state.error.message if state.error else "")

    async def test_a_group_of_its_starter_is_refused_while_that_one_waits(self, site: Site):
        group = "concurrency: held-by-starter\n"
        quick = group + "name: quick\njobs: {a: {runs-on: web, steps: [{run: echo}]}}\n"
        text = group + "name: x\njobs: {s: {runs-on: web, steps: [{uses: workflow/run, with: {workflow: ./q.yaml}}]}}"
        state = await site.run(text, files={"q.yaml": quick})
        assert state.state is State.FAILED
        assert "so it would wait for ever" in (state.error.message if state.error else "")

    async def test_a_missing_input_is_said_in_the_step(self, site: Site):
        state = await site.run(_starting("./check.yaml"), files={"check.yaml": CHECK})
        error = state.jobs[0].steps[0].error
        assert error is not None
        assert error.message == "check: input 'host' is required"

    async def test_a_workflow_that_is_not_there_is_refused_at_submit(self, site: Site):
        with pytest.raises(InvalidWorkflow) as caught:
            await site.submit(_starting("./gone.yaml"))
        assert "`./gone.yaml` is not among the files that were sent along" in caught.value.message

    async def test_a_name_that_only_a_run_knows_chooses_among_the_files(self, site: Site):
        state = await site.run(
            """
            name: choosing
            vars: {which: ./gone.yaml}
            jobs: {a: {runs-on: web, steps: [{uses: workflow/run, with: {workflow: "${{ vars.which }}"}}]}}
            """,
            files={"check.yaml": CHECK},
        )
        error = state.jobs[0].steps[0].error
        assert error is not None
        assert error.message == "there is no workflow './gone.yaml' here; sent along: check.yaml, workflow.yaml"
