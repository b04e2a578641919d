"""`concurrency` of a job: the jobs of one group, in one run and over runs."""

import pytest
from harness import Site
from harness.site import until

from concurrency._effects import Effects
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestJobsOfOneRun:
    async def test_go_one_after_the_other(self, site: Site, effects: Effects):
        jobs = "\n".join(
            f"              {name}: {{runs-on: web, concurrency: one-run, steps: [{effects.step(name, 0.2)}]}}"
            for name in ("a", "b", "c")
        )
        state = await site.run(f"\n            name: jobs\n            jobs:\n{jobs}\n")
        assert state.state is State.SUCCESS
        assert sorted(effects.order()) == ["a", "b", "c"]

    async def test_each_value_of_a_matrix_may_have_its_own_group(self, site: Site, effects: Effects):
        state = await site.run(
            f"""
            name: matrix
            jobs:
              work:
                runs-on: web
                strategy: {{matrix: {{stage: [test, prod]}}}}
                concurrency: stage-${{{{ matrix.stage }}}}
                steps:
                  - run: |
                      echo begun >> {effects.path}
                      until test $(wc -l < {effects.path}) = 2; do sleep 0.05; done
        """,
        )
        assert state.state is State.SUCCESS, "each has waited until the other had begun"
        assert {job.concurrency for job in state.jobs} == {"stage-test", "stage-prod"}


class TestJobsOfTwoRuns:
    def yaml(self, effects: Effects, name: str, seconds: float | None, on_conflict: str = "queue") -> str:
        """Without ``seconds``, the step is held."""
        step = effects.held_step(name) if seconds is None else effects.step(name, seconds)
        return f"""
            name: {name}
            jobs:
              deploy:
                runs-on: web
                concurrency: {{group: over-runs, on-conflict: {on_conflict}}}
                steps: [{step}]
        """

    async def test_the_second_waits_and_says_for_whom(self, site: Site, effects: Effects):
        holder = await site.submit(self.yaml(effects, "holder", None))
        await effects.until_begun("holder")
        second = await site.submit(self.yaml(effects, "second", 0))
        expected = f"concurrency group over-runs is held by job deploy of run {holder.id}; this one is next"

        async def queued() -> bool:
            job = (await second.status()).jobs[0]
            return (job.state, job.reason) == (State.QUEUED, expected)

        await until(queued, "the job is queued")
        await holder.cancel()
        assert (await second.wait(180)).state is State.SUCCESS
        assert effects.order() == ["holder", "second"]

    async def test_a_rejected_job_is_cancelled_with_the_reason(self, site: Site, effects: Effects):
        holder = await site.submit(self.yaml(effects, "holder", None))
        await effects.until_begun("holder")
        state = await site.run(self.yaml(effects, "late", 0, "reject"))
        reason = f"concurrency group over-runs is held by job deploy of run {holder.id}, and on-conflict is reject"
        assert [(job.state, job.reason) for job in state.jobs] == [(State.CANCELLED, reason)]
        await holder.cancel()
        await holder.wait(180)

    async def test_a_job_that_was_taken_over_still_runs_its_finally(self, site: Site, effects: Effects):
        yaml = (
            self.yaml(effects, "taken", None).rstrip()
            + f"\n                finally: [{effects.step('finally', 0.5)}]\n"
        )
        taken = await site.submit(yaml)
        await effects.until_begun("taken")
        state = await site.run(self.yaml(effects, "newcomer", 0, "cancel"))
        assert state.state is State.SUCCESS
        assert (await taken.wait(180)).jobs[0].state is State.CANCELLED
        assert effects.order() == ["taken", "finally", "newcomer"]


class TestTheGroupOfItsOwnRun:
    async def test_is_a_deadlock_and_says_so(self, site: Site):
        run = await site.submit("""
            name: deadlock
            concurrency: own
            jobs: {work: {runs-on: web, concurrency: own, steps: [run: echo]}}
        """)
        state = await run.wait(180)
        reason = f"concurrency group own is held by run {run.id} that it is a part of, so it would wait for ever"
        assert [(job.state, job.reason) for job in state.jobs] == [(State.CANCELLED, reason)]
