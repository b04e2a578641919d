"""Again: a new run, linked to the one it repeats, that keeps what has succeeded."""

from pathlib import Path

import pytest
from harness import Site

from waterflow_sdk.client import NothingToRetry, RetryScope, Run, RunNotEnded
from waterflow_sdk.wire import RunState, State

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def again(run: Run, scope: RetryScope = "failed", job: str | None = None, step: str | None = None) -> RunState:
    """Retry and wait for the end."""
    return await (await run.retry(scope, job, step)).wait(180)


def flaky(effects: Path, done: Path) -> str:
    """Two hosts inspect; one step in the middle fails until ``done`` is there; a report follows."""
    return f"""
        name: flaky
        jobs:
          prepare:
            runs-on: {{agent: db-01}}
            steps: [{{id: p, run: 'echo prepare >> {effects}; echo "v=1" >> "$WATERFLOW_OUTPUT"'}}]
            outputs: {{v: "${{{{ steps.p.outputs.v }}}}"}}
          work:
            needs: prepare
            runs-on: {{group: web, target: all}}
            steps:
              - {{id: first, run: 'echo first-${{{{ agent.name }}}} >> {effects}; echo "f=7" >> "$WATERFLOW_OUTPUT"'}}
              - {{uses: env/set, with: {{name: KEPT, value: from-before}}}}
              - run: test "${{{{ agent.name }}}}" = web-01 || test -e {done}
              - run: echo "last-${{{{ agent.name }}}} $KEPT ${{{{ steps.first.outputs.f }}}}" >> {effects}
          report:
            needs: work
            runs-on: {{agent: db-01}}
            steps: [run: echo report >> {effects}]
    """


class TestFromTheFailedStep:
    async def test_only_what_failed_runs_again_with_what_the_kept_steps_gave(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        run = await site.submit(flaky(effects, done))
        assert (await run.wait(180)).state is State.FAILED
        done.touch()
        before = effects.read_text().splitlines()
        state = await again(run)
        assert state.state is State.SUCCESS, state.error
        assert effects.read_text().splitlines()[len(before) :] == ["last-web-02 from-before 7", "report"]

    async def test_runs_are_linked_in_both_directions_and_kept_jobs_say_where_they_ran(
        self, site: Site, tmp_path: Path
    ):
        run = await site.submit(flaky(tmp_path / "effects", tmp_path / "done"))
        await run.wait(180)
        state = await again(run)
        new = await site.client.run(state.id).status()
        assert (new.link, (await run.status()).retries) == (run.id, [new.id])
        kept = {job.instance: job.kept_from for job in new.jobs}
        assert kept == {"prepare": run.id, "work[web-01]": run.id, "work[web-02]": None, "report": None}
        assert [step.state for step in new.jobs[1].steps] == [State.SUCCESS] * 4


class TestRollback:
    """What a kept step would undo is undone when the retry fails too."""

    async def test_of_kept_loops_sees_their_iterations(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await site.submit(f"""
            name: saga
            jobs:
              work:
                runs-on: web
                steps:
                  - for-each: [eu, us]
                    as: region
                    run: echo
                    rollback: {{env: {{R: "${{{{ region }}}}"}}, run: echo $R >> {effects}}}
                  - for-each: [1, 2]
                    as: number
                    steps:
                      - run: echo
                      - if: number == 2
                        then: [{{run: echo, rollback: {{run: 'echo two >> {effects}'}}}}]
                        else: [{{run: echo, rollback: {{run: 'echo "${{{{ number }}}}" >> {effects}'}}}}]
                  - run: exit 1
        """)
        undone = ["two", "1", "us", "eu"]
        assert (await run.wait(180)).state is State.FAILED
        assert effects.read_text().split() == undone
        first = await again(run)
        assert effects.read_text().split() == undone * 2, first.error
        await again(site.client.run(first.id))
        assert effects.read_text().split() == undone * 3


class TestScopes:
    async def test_failed_jobs_run_again_from_their_first_step(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        run = await site.submit(flaky(effects, done))
        await run.wait(180)
        done.touch()
        before = effects.read_text().splitlines()
        await again(run, "failed-jobs")
        assert effects.read_text().splitlines()[len(before) :] == [
            "first-web-02",
            "last-web-02 from-before 7",
            "report",
        ]

    async def test_one_job_runs_again_with_all_that_need_it(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        done.touch()
        run = await site.submit(flaky(effects, done))
        assert (await run.wait(180)).state is State.SUCCESS
        before = effects.read_text().splitlines()
        await again(run, "job", "report")
        assert effects.read_text().splitlines()[len(before) :] == ["report"]

    async def test_all_keeps_nothing(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        done.touch()
        run = await site.submit(flaky(effects, done))
        await run.wait(180)
        before = effects.read_text().splitlines()
        await again(run, "all")
        assert sorted(effects.read_text().splitlines()[len(before) :]) == sorted(before)


class TestFailedHosts:
    async def test_only_the_failed_cells_run_again_and_other_failed_jobs_stay_as_they_are(
        self, site: Site, tmp_path: Path
    ):
        effects, done = tmp_path / "effects", tmp_path / "done"
        other = f"\n          other: {{runs-on: {{agent: db-01}}, steps: [run: 'echo other >> {effects}; exit 1']}}\n"
        run = await site.submit(flaky(effects, done).rstrip() + other)
        assert (await run.wait(180)).state is State.FAILED
        done.touch()
        before = effects.read_text().splitlines()
        state = await again(run, "failed-hosts")
        assert effects.read_text().splitlines()[len(before) :] == ["last-web-02 from-before 7", "report"]
        found = {job.instance: (job.state, job.kept_from) for job in state.jobs}
        assert found["other"] == (State.FAILED, run.id)
        assert found["work[web-02]"] == (State.SUCCESS, None)

    async def test_is_refused_where_no_host_failed(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: exit 1]}}")
        await run.wait(180)
        with pytest.raises(NothingToRetry) as caught:
            await run.retry("failed-hosts")
        assert caught.value.message == f"no host of run {run.id} failed: what failed does not run on several hosts"


class TestFromAStep:
    async def test_every_instance_goes_on_there_with_what_the_steps_before_gave(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        done.touch()
        run = await site.submit(flaky(effects, done))
        assert (await run.wait(180)).state is State.SUCCESS
        before = effects.read_text().splitlines()
        state = await again(run, "step", step="work.steps[3]")
        assert state.state is State.SUCCESS, state.error
        assert sorted(effects.read_text().splitlines()[len(before) :]) == [
            "last-web-01 from-before 7",
            "last-web-02 from-before 7",
            "report",
        ]
        full = await site.client.run(state.id).status("full")
        work = next(job for job in full.jobs if job.instance == "work[web-01]")
        assert all(step.attempts and step.attempts[0].log for step in work.steps)  # also of those that were kept

    async def test_by_id(self, site: Site, tmp_path: Path):
        effects, done = tmp_path / "effects", tmp_path / "done"
        done.touch()
        run = await site.submit(flaky(effects, done))
        await run.wait(180)
        before = effects.read_text().splitlines()
        await again(run, "step", step="prepare.p")
        assert effects.read_text().splitlines()[len(before)] == "prepare"
        assert len(effects.read_text().splitlines()) == 2 * len(before)

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            ("work", "job work of run {id} has no step '' of its own; it has work.first, work.steps[1], "),
            ("work.nope", "job work of run {id} has no step 'nope' of its own; it has work.first, work.steps[1], "),
            ("nope.first", "run {id} has no job 'nope'; it has prepare, work, report"),
            ("report.steps[0]", "no step of job report ran on an agent; ask for the scope `job`"),
        ],
    )
    async def test_is_refused(self, site: Site, tmp_path: Path, step: str, message: str):
        run = await site.submit(flaky(tmp_path / "effects", tmp_path / "done"))
        await run.wait(180)
        with pytest.raises(NothingToRetry) as caught:
            await run.retry("step", step=step)
        assert caught.value.message.startswith(message.format(id=run.id))

    async def test_that_no_instance_reached_is_refused(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [{run: exit 1}, {run: echo}, {run: echo}]}}")
        await run.wait(180)
        with pytest.raises(NothingToRetry) as caught:
            await run.retry("step", step="a.steps[2]")
        assert caught.value.message == "no instance got as far as a.steps[2]: a step before it did not succeed"


class TestRefused:
    async def test_while_the_run_lives(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: sleep 30]}}")
        with pytest.raises(RunNotEnded) as caught:
            await run.retry()
        assert caught.value.message == f"run {run.id} has not ended; cancel it first, or wait"
        await run.cancel()

    async def test_when_nothing_failed(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: echo]}}")
        await run.wait(180)
        with pytest.raises(NothingToRetry) as caught:
            await run.retry()
        assert (caught.value.status, caught.value.code) == (409, "nothing-to-retry")

    async def test_for_a_job_that_is_not_there(self, site: Site):
        run = await site.submit("name: x\njobs: {a: {runs-on: web, steps: [run: exit 1]}}")
        await run.wait(180)
        with pytest.raises(NothingToRetry) as caught:
            await run.retry("job", "b")
        assert caught.value.message == f"run {run.id} has no job 'b'; it has a"
