"""``environment`` of a job: who must agree before it is placed, and where it deployed to."""

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import AnswerRefused, NothingWaits, Run
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEPLOY = """
    name: deploying
    jobs:
      deploy:
        runs-on: web
        environment:
          name: production
          url: "https://${{ steps.s.outputs.host }}/"
          approval: {approvers: [ops, boss], timeout: 1m}
        steps: [{id: s, run: 'echo "host=shop.example" >> "$WATERFLOW_OUTPUT"'}]
"""


async def _until_waiting(run: Run, count: int = 1) -> None:
    async def waiting() -> bool:
        return [job.state for job in (await run.status("summary")).jobs].count(State.WAITING) == count

    await until(waiting, "the job waits for approval")


class TestApproval:
    async def test_the_job_waits_before_any_agent_has_it(self, site: Site):
        run = await site.submit(DEPLOY)
        await _until_waiting(run)
        state = await run.status()
        job = state.jobs[0]
        assert (state.state, state.reason) == (State.WAITING, "deploy: approval: deploy to production")
        assert (job.agent, job.started, job.steps) == (None, None, [])
        assert job.approval is not None
        assert (job.approval.path, job.approval.approvers) == ("environment", ["ops", "boss"])
        assert job.approval.deadline is not None
        await run.approve(by="ops", comment="fine")
        job = (await run.wait(180)).jobs[0]
        assert (job.state, job.approval and job.approval.answer and job.approval.answer.by) == (State.SUCCESS, "ops")
        assert job.environment is not None
        assert (job.environment.name, job.environment.url) == ("production", "https://shop.example/")

    async def test_only_approvers_may_answer(self, site: Site):
        run = await site.submit(DEPLOY)
        await _until_waiting(run)
        with pytest.raises(AnswerRefused) as caught:
            await run.approve(by="intern")
        assert caught.value.message == "intern may not answer this approval; ops, boss may"
        await run.cancel()
        assert (await run.wait(180)).jobs[0].state is State.CANCELLED

    async def test_a_rejection_fails_the_job_with_who_and_why(self, site: Site):
        run = await site.submit(DEPLOY)
        await _until_waiting(run)
        await run.reject(by="boss", comment="not today")
        job = (await run.wait(180)).jobs[0]
        assert (job.state, job.reason, job.started) == (State.FAILED, "rejected by boss: not today", None)

    async def test_nobody_in_time_fails_it(self, site: Site):
        state = await site.run(DEPLOY.replace("timeout: 1m", "timeout: 1s"))
        assert state.jobs[0].error is not None
        assert state.jobs[0].error.code == "approval-timeout"
        assert state.jobs[0].reason == "nobody answered within 1 s: deploy to production"

    async def test_one_answer_is_for_all_that_wait_for_the_same_environment(self, site: Site):
        text = DEPLOY.replace("runs-on: web\n", "runs-on: web\n        strategy: {matrix: {region: [eu, us]}}\n", 1)
        run = await site.submit(text)
        await _until_waiting(run, 2)
        await run.approve(by="ops")
        assert [job.state for job in (await run.wait(180)).jobs] == [State.SUCCESS, State.SUCCESS]

    async def test_different_environments_are_answered_one_by_one(self, site: Site):
        run = await site.submit("""
            name: two
            jobs:
              a: {runs-on: web, environment: {name: test, approval: true}, steps: [{run: echo}]}
              b: {runs-on: web, environment: {name: prod, approval: true}, steps: [{run: echo}]}
        """)
        await _until_waiting(run, 2)
        with pytest.raises(NothingWaits) as caught:
            await run.approve()
        assert "say which one of a/environment, b/environment" in caught.value.message
        await run.approve(step="a/environment")
        await run.reject(step="b/environment")
        assert [job.state for job in (await run.wait(180)).jobs] == [State.SUCCESS, State.FAILED]


class TestWithoutApproval:
    async def test_a_name_alone_is_shown_and_nobody_is_asked(self, site: Site):
        state = await site.run("name: x\njobs: {a: {runs-on: web, environment: test, steps: [{run: echo}]}}")
        assert state.jobs[0].environment is not None
        assert (state.jobs[0].environment.name, state.jobs[0].approval) == ("test", None)

    async def test_an_address_that_cannot_be_told_fails_the_job(self, site: Site):
        environment = "{name: test, url: \"${{ fromJSON('{') }}\"}"
        text = f"name: x\njobs: {{a: {{runs-on: web, environment: {environment}, steps: [{{run: echo}}]}}}}"
        state = await site.run(text)
        assert state.jobs[0].reason.startswith("environment.url: ")
