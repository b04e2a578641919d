"""Fix-and-continue: a run goes on with a changed definition, and what nothing has changed for is not done twice."""

import textwrap
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import InvalidWorkflow, NothingToEdit, Run, RunNotEnded, RunNotFound
from waterflow_sdk.wire import EditedJob, RunState, State, StepState

pytestmark = pytest.mark.asyncio(loop_scope="session")


def file(effects: Path, *, second: str = "exit 3", app: str = "shop") -> str:
    """A job that prepares, one whose second step fails on both hosts, and a report."""
    return textwrap.dedent(f"""
        name: edited
        vars: {{app: {app}}}
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
              - run: {second}
              - run: echo "last-${{{{ agent.name }}}} ${{{{ steps.first.outputs.f }}}} ${{{{ vars.app }}}}" >> {effects}
            finally: [{{run: 'echo finally-${{{{ agent.name }}}} >> {effects}'}}]
          report:
            needs: work
            runs-on: {{agent: db-01}}
            steps: [{{run: 'echo report ${{{{ needs.work.result }}}} >> {effects}'}}]
    """)


async def failed(site: Site, yaml: str) -> Run:
    """A run of the file that has failed."""
    run = await site.client.submit(yaml)
    assert (await run.wait(180)).state is State.FAILED
    return run


def told(jobs: list[EditedJob]) -> dict[str, tuple[str, str]]:
    """What becomes of each instance, and why."""
    return {job.instance: (job.action, job.why) for job in jobs}


async def again(site: Site, run: Run, yaml: str, **given: object) -> RunState:
    """Edit and wait for the end of the run that goes on."""
    edited = await run.edit(yaml, **given)  # type: ignore[arg-type]
    assert edited.id is not None
    return await site.client.run(edited.id).wait(180)


class TestAFixedStep:
    async def test_the_run_goes_on_at_it_with_what_the_kept_steps_gave(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await failed(site, file(effects))
        before = effects.read_text().splitlines()
        state = await again(site, run, file(effects, second="'true'"))
        assert state.state is State.SUCCESS, state.error
        after = effects.read_text().splitlines()[len(before) :]
        expected = ["finally-web-01", "finally-web-02", "last-web-01 7 shop", "last-web-02 7 shop", "report success"]
        assert sorted(after) == expected

    async def test_the_report_says_what_is_kept_and_why_not_more(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        edited = await run.edit(file(tmp_path / "effects", second="'true'"), dry_run=True)
        assert (edited.id, edited.report.changes) == (None, [])
        changed = "it failed, steps[1] changed (`with`)"
        assert told(edited.report.jobs) == {
            "prepare": ("keep", ""),
            "work[web-01]": ("resume", changed),
            "work[web-02]": ("resume", changed),
            "report": ("again", "it needs work, which runs again"),
        }
        work = edited.report.jobs[1]
        assert (work.kept, work.first) == (["steps[0]"], "steps[1]")

    async def test_a_dry_run_starts_nothing(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        await run.edit(file(tmp_path / "effects", second="'true'"), dry_run=True)
        assert (await run.status()).retries == []

    async def test_runs_are_linked_in_both_directions(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        state = await again(site, run, file(tmp_path / "effects", second="'true'"))
        new = await site.client.run(state.id).status()
        assert (new.link, (await run.status()).retries) == (run.id, [new.id])
        assert {job.instance: job.kept_from for job in new.jobs}["prepare"] == run.id


class TestWhatStepsRead:
    async def test_a_variable_that_changed_runs_again_only_what_reads_it(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        yaml = file(tmp_path / "effects", app="blog")
        edited = await run.edit(yaml, dry_run=True)
        assert edited.report.changes == ["vars.app changed"]
        assert told(edited.report.jobs)["prepare"] == ("keep", "")
        assert told(edited.report.jobs)["work[web-01]"] == (
            "resume",
            "it failed, steps[2] reads vars.app, which changed",
        )

    async def test_a_value_given_with_the_edit_counts_as_well(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        edited = await run.edit(file(tmp_path / "effects"), vars={"app": "wiki"}, dry_run=True)
        assert edited.report.changes == ["vars.app changed"]


class TestJobs:
    async def test_another_target_runs_the_whole_job_again(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await failed(site, file(effects))
        yaml = file(effects, second="'true'").replace("{group: web, target: all}", "db")
        state = await again(site, run, yaml)
        assert state.state is State.SUCCESS, state.error
        assert "first-db-01" in effects.read_text()
        edited = await run.edit(yaml, dry_run=True)
        assert told(edited.report.jobs)["work[web-01]"] == ("again", "its `runs-on` changed")

    async def test_new_and_removed_ones_are_told(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        yaml = file(tmp_path / "effects", second="'true'").replace("  report:", "  summary:")
        edited = await run.edit(yaml, dry_run=True)
        assert told(edited.report.jobs)["summary"] == ("new", "it is not in the old definition")
        assert told(edited.report.jobs)["report"] == ("removed", "")

    async def test_a_step_that_comes_in_runs_and_all_after_it(self, site: Site, tmp_path: Path):
        effects = tmp_path / "effects"
        run = await failed(site, file(effects))
        head, tail = file(effects, second="'true'").split("      - run: 'true'\n")
        new = f"      - run: echo new >> {effects}\n      - run: 'true'\n"
        edited = await run.edit(head + new + tail, dry_run=True)
        assert told(edited.report.jobs)["work[web-01]"] == ("resume", "it failed, steps[1] changed (`with`)")
        assert edited.report.jobs[1].first == "steps[1]"


class TestPaused:
    async def test_a_paused_run_is_ended_without_its_finally_and_goes_on_anew(self, site: Site, tmp_path: Path):
        effects, go = tmp_path / "effects", tmp_path / "go"
        yaml = f"""
            name: paused
            jobs:
              a:
                runs-on: web
                steps:
                  - run: echo one >> {effects}; while ! test -e {go}; do sleep 0.05; done
                  - run: echo two >> {effects}
                finally: [run: echo finally >> {effects}]
        """
        run = await site.submit(yaml)
        await until_step(run, State.RUNNING)
        await run.pause()
        with pytest.raises(RunNotEnded, match=r"is paused, but a/steps\[0\] still runs: try again when it has ended"):
            await run.edit(textwrap.dedent(yaml))
        go.touch()
        await until_step(run, State.SUCCESS)
        state = await again(site, run, textwrap.dedent(yaml).replace("echo two", "echo three"))
        assert state.state is State.SUCCESS, state.error
        assert effects.read_text().split() == ["one", "three", "finally"]
        old = await run.status()
        assert (old.state, old.reason) == (State.CANCELLED, "goes on with a changed definition")


async def until_step(run: Run, state: State) -> None:
    """Wait until the first step of the run is in this state."""

    async def there() -> bool:
        steps: list[StepState] = [step for job in (await run.status()).jobs for step in job.steps]
        return bool(steps) and steps[0].state is state

    await until(there, f"the first step is {state.value}")


class TestRefused:
    async def test_while_the_run_lives(self, site: Site):
        yaml = "name: x\njobs: {a: {runs-on: web, steps: [run: sleep 30]}}"
        run = await site.submit(yaml)
        await until_step(run, State.RUNNING)
        with pytest.raises(RunNotEnded) as caught:
            await run.edit(yaml)
        assert caught.value.message == (
            f"run {run.id} is running: pause it and let its running steps finish, or cancel it, before it goes on with "
            "another definition"
        )
        await run.cancel()

    async def test_when_it_has_succeeded(self, site: Site):
        yaml = "name: x\njobs: {a: {runs-on: web, steps: [run: echo]}}"
        run = await site.submit(yaml)
        await run.wait(180)
        with pytest.raises(NothingToEdit) as caught:
            await run.edit(yaml)
        assert (caught.value.status, caught.value.message) == (
            409,
            f"run {run.id} has succeeded: submit the changed file as a run of its own",
        )

    async def test_when_it_is_not_there(self, site: Site):
        with pytest.raises(RunNotFound):
            await site.client.run("nothing").edit("jobs: {a: {runs-on: web, steps: [run: echo]}}")

    async def test_a_file_with_errors_before_anything_happens(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        with pytest.raises(InvalidWorkflow):
            await run.edit("jobs: {a: {runs-on: wep, steps: [run: echo]}}")
        assert (await run.status()).retries == []


class TestAgainst:
    async def test_a_plan_says_what_would_differ_from_a_run(self, site: Site, tmp_path: Path):
        run = await failed(site, file(tmp_path / "effects"))
        view = await site.client.plan(file(tmp_path / "effects", second="'true'"), against=run.id)
        assert view.differs is not None
        assert told(view.differs.jobs)["prepare"] == ("keep", "")
        assert told(view.differs.jobs)["work[web-01]"][0] == "resume"
