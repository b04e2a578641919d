"""Reusable workflows: a job that runs another file in place of steps."""

from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import InvalidRequest, InvalidWorkflow, Run
from waterflow_sdk.wire import JobState, RunState, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

RELEASE = """
name: release
on:
  call:
    inputs:
      version: {type: string, required: true}
      replicas: {type: number, default: 1}
    secrets: {TOKEN: {required: false}}
    outputs: {built: "${{ jobs.build.outputs.name }}", of: "${{ jobs.build.outputs.of }}"}
jobs:
  build:
    runs-on: web
    outputs: {name: "${{ steps.it.outputs.name }}", of: "${{ github.workflow }}"}
    steps:
      - id: it
        env: {VERSION: "${{ inputs.version }}", N: "${{ inputs.replicas }}", TOKEN: "${{ secrets.TOKEN }}"}
        run: |
          echo "name=app-$VERSION-x$N" >> "$WATERFLOW_OUTPUT"
          echo "building $VERSION with ${#TOKEN} characters"
"""

ONE_STEP = "on: call\njobs: {work: {runs-on: web, steps: [{run: STEP}]}}\n"


def _jobs(state: RunState) -> dict[str, JobState]:
    return {job.instance: job for job in state.jobs}


async def _until_job(run: Run, instance: str, state: State) -> None:
    async def holds() -> bool:
        found = _jobs(await run.status()).get(instance)
        return found is not None and found.state is state

    await until(holds, f"{instance} is {state.value}")


async def _until_reason(run: Run, reason: str) -> None:
    """The summary is what the run itself knows: it hears of a called job's wait a moment after the job shows it."""

    async def holds() -> bool:
        return (await run.status("summary")).reason == reason

    await until(holds, f"the run waits for {reason!r}")


class TestInputsAndOutputs:
    CALLER = """
        name: deploy
        jobs:
          release:
            uses: ./lib/release.yaml
            with: {version: "${{ inputs.v }}"}
            secrets: inherit
          after:
            needs: release
            runs-on: web
            env: {GOT: "${{ needs.release.outputs.built }}"}
            steps: [{run: 'echo "got=$GOT" >> "$WATERFLOW_OUTPUT"'}]
        on: {manual: {inputs: {v: {type: string, default: "2"}}}}
        secrets: {TOKEN: {required: false}}
    """

    async def test_pass_in_and_out_and_github_is_the_callers(self, site: Site):
        state = await site.run(self.CALLER, files={"lib/release.yaml": RELEASE}, inputs={"v": "7"})
        assert state.state is State.SUCCESS, state.error
        jobs = _jobs(state)
        assert list(jobs) == ["release", "release/build", "after"]
        assert jobs["release"].outputs == {"built": "app-7-x1", "of": "deploy"}
        assert jobs["after"].steps[0].outputs["got"] == "app-7-x1"
        assert (jobs["release"].calls, jobs["release/build"].id) == ("./lib/release.yaml", "release/build")

    async def test_the_log_of_the_run_holds_the_called_jobs_and_masks_their_secrets(self, site: Site):
        run = await site.submit(self.CALLER, files={"lib/release.yaml": RELEASE}, secrets={"TOKEN": "s3cret-value"})
        await run.wait(180)
        lines = [(line.job, line.text) async for line in run.logs() if line.text.startswith("building")]
        assert lines == [("release/build", "building 2 with 12 characters")]
        of_the_call = [line.job async for line in run.logs(job="release") if line.text.startswith("building")]
        assert of_the_call == ["release/build"]

    async def test_a_matrix_calls_once_for_each_combination(self, site: Site):
        state = await site.run(
            """
            name: many
            jobs:
              release:
                strategy: {matrix: {v: [a, b]}}
                uses: ./release.yaml
                with: {version: "${{ matrix.v }}", replicas: 3}
            """,
            files={"release.yaml": RELEASE},
        )
        jobs = _jobs(state)
        assert list(jobs) == ["release[a]", "release[a]/build", "release[b]", "release[b]/build"]
        assert [jobs[f"release[{v}]"].outputs["built"] for v in "ab"] == ["app-a-x3", "app-b-x3"]

    async def test_a_value_that_only_a_run_knows_is_held_against_its_type_then(self, site: Site):
        state = await site.run(
            """
            name: late
            vars: {n: many}
            jobs: {release: {uses: ./release.yaml, with: {version: "1", replicas: "${{ vars.n }}"}}}
            """,
            files={"release.yaml": RELEASE},
        )
        assert state.state is State.FAILED
        assert state.jobs[0].reason == "release: input 'replicas' is 'many'; it has to be a number"

    async def test_nested_paths_are_seen_from_the_file_that_names_them(self, site: Site):
        middle = "on: call\njobs: {inner: {uses: ./more/last.yaml}}\n"
        files = {"lib/middle.yaml": middle, "lib/more/last.yaml": ONE_STEP.replace("STEP", "echo deep")}
        state = await site.run("name: top\njobs: {outer: {uses: ./lib/middle.yaml}}", files=files)
        assert list(_jobs(state)) == ["outer", "outer/inner", "outer/inner/work"]
        assert {job.state for job in state.jobs} == {State.SUCCESS}


class TestResults:
    async def test_a_failure_in_it_is_the_callers_with_the_name_of_the_job(self, site: Site):
        state = await site.run(
            """
            name: failing
            jobs:
              release: {uses: ./release.yaml}
              after: {needs: release, runs-on: web, steps: [{run: echo no}]}
              always: {needs: release, if: always(), runs-on: web, steps: [{run: "echo ${{ needs.release.result }}"}]}
            """,
            files={"release.yaml": ONE_STEP.replace("STEP", "exit 3")},
        )
        jobs = _jobs(state)
        assert {name: job.state.value for name, job in jobs.items()} == {
            "release": "failed",
            "release/work": "failed",
            "after": "skipped",
            "always": "success",
        }
        assert "job release/work: step" in (state.error.message if state.error else "")

    async def test_one_whose_if_is_false_is_skipped_whole(self, site: Site):
        state = await site.run(
            "name: x\njobs: {a: {if: false, uses: ./b.yaml}}", files={"b.yaml": ONE_STEP.replace("STEP", "echo")}
        )
        assert [(job.instance, job.state) for job in state.jobs] == [("a", State.SKIPPED)]

    async def test_its_time_out_ends_it(self, site: Site):
        state = await site.run(
            "name: x\njobs: {a: {timeout: 5s, uses: ./b.yaml}}", files={"b.yaml": ONE_STEP.replace("STEP", "sleep 60")}
        )
        assert _jobs(state)["a"].state is State.TIMED_OUT
        assert _jobs(state)["a/work"].state is State.CANCELLED


class TestControl:
    """What a run is told reaches the workflows that it calls."""

    async def test_cancel(self, site: Site):
        run = await site.submit(
            "name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": ONE_STEP.replace("STEP", "sleep 60")}
        )
        await _until_job(run, "a/work", State.RUNNING)
        await run.cancel("enough")
        state = await run.wait(180)
        assert [(job.instance, job.state) for job in state.jobs] == [
            ("a", State.CANCELLED),
            ("a/work", State.CANCELLED),
        ]

    async def test_pause_and_resume(self, site: Site):
        called = """
            on: call
            jobs: {work: {runs-on: web, steps: [{uses: wait, with: {for: go}}, {run: echo on}]}}
        """
        run = await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": called})
        await _until_job(run, "a/work", State.WAITING)
        await _until_reason(run, "a/work: event go")
        await run.pause("lunch")
        await _until_job(run, "a/work", State.PAUSED)
        await run.send_event("go")
        await run.resume()
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_an_event_that_came_before_it_began_is_known_to_it(self, site: Site):
        called = "on: call\njobs: {work: {runs-on: web, steps: [{uses: wait, with: {for: go}}]}}"
        caller = """
            name: x
            jobs:
              first: {runs-on: web, steps: [{uses: wait, with: {for: begin}}]}
              a: {needs: first, uses: ./b.yaml}
        """
        run = await site.submit(caller, files={"b.yaml": called})
        await _until_job(run, "first", State.WAITING)
        await run.send_event("go")
        await run.send_event("begin")
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_an_approval_in_it_is_answered_through_the_run(self, site: Site):
        called = "on: call\njobs: {work: {runs-on: web, steps: [{uses: approval, with: {message: Go?}}]}}"
        run = await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": called})
        await _until_job(run, "a/work", State.WAITING)
        await _until_reason(run, "a/work: approval: Go?")
        await run.approve(by="ops", step="a/work/steps[0]")
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_a_retry_keeps_what_succeeded_in_it(self, site: Site):
        called = """
            on: call
            jobs:
              good: {runs-on: web, steps: [{run: echo once}]}
              bad: {runs-on: web, steps: [{run: 'test "$AGAIN" = yes', env: {AGAIN: "${{ vars.again }}"}}]}
            vars: {again: "no"}
        """
        run = await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": called})
        assert (await run.wait(180)).state is State.FAILED
        again = await run.retry()
        jobs = _jobs(await again.wait(180))
        assert jobs["a/good"].kept_from == run.id
        assert (jobs["a/bad"].kept_from, jobs["a/bad"].state) == (None, State.FAILED)

    async def test_a_retry_runs_again_what_needs_a_failed_job_of_it_whatever_its_condition(
        self, site: Site, tmp_path: Path
    ):
        called = f"""
            on: call
            jobs:
              other: {{runs-on: web, steps: [{{run: echo}}]}}
              bad: {{runs-on: web, steps: [{{run: test -e {tmp_path}/mended}}]}}
              tell:
                needs: [bad, other]
                if: always()
                runs-on: web
                steps: [{{run: "echo ${{{{ needs.bad.result }}}} >> {tmp_path}/told"}}]
        """
        run = await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": called})
        assert (await run.wait(180)).state is State.FAILED
        (tmp_path / "mended").touch()
        again = await run.retry()
        jobs = _jobs(await again.wait(180))
        assert (jobs["a/other"].kept_from, jobs["a/tell"].kept_from) == (run.id, None)
        assert (tmp_path / "told").read_text().split() == ["failure", "success"]


class TestConcurrency:
    async def test_a_called_workflow_cannot_wait_for_a_group_that_its_caller_holds(self, site: Site):
        group = "concurrency: {group: shared-with-itself}\n"
        state = await site.run(
            group + "name: x\njobs: {a: {uses: ./b.yaml}}",
            files={"b.yaml": group + ONE_STEP.replace("STEP", "echo never")},
        )
        assert state.state is State.CANCELLED
        assert "so it would wait for ever" in _jobs(state)["a"].reason

    async def test_it_waits_for_a_group_that_another_run_holds(self, site: Site):
        holder = await site.submit(
            "name: holder\nconcurrency: elsewhere\njobs: {a: {runs-on: web, steps: [{uses: wait, with: {for: end}}]}}"
        )
        await _until_job(holder, "a", State.WAITING)
        run = await site.submit(
            "name: x\njobs: {a: {uses: ./b.yaml}}",
            files={"b.yaml": "concurrency: elsewhere\n" + ONE_STEP.replace("STEP", "echo mine")},
        )
        await _until_job(run, "a", State.RUNNING)
        assert _jobs(await run.status())["a/work"].state is State.PENDING
        await holder.send_event("end")
        assert (await run.wait(180)).state is State.SUCCESS


class TestAtSubmit:
    """What a call asks for is judged before anything starts."""

    async def test_a_file_that_was_not_sent_along(self, site: Site):
        with pytest.raises(InvalidWorkflow) as caught:
            await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}")
        assert caught.value.message == (
            "workflow.yaml:2:18: the workflow `./b.yaml` is not among the files that were sent along; "
            "its path is seen from the file that names it"
        )

    async def test_a_mistake_in_a_called_file_names_that_file(self, site: Site):
        with pytest.raises(InvalidWorkflow) as caught:
            await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files={"b.yaml": "on: call\njobs: {a: {x: 1}}"})
        assert caught.value.message.startswith("b.yaml:2:")

    async def test_a_secret_that_an_inheriting_workflow_needs(self, site: Site):
        called = "on: {call: {secrets: {KEY: {required: true}}}}\njobs: {w: {runs-on: web, steps: [{run: echo}]}}"
        with pytest.raises(InvalidRequest) as caught:
            await site.submit("name: x\njobs: {a: {uses: ./b.yaml, secrets: inherit}}", files={"b.yaml": called})
        assert caught.value.message == "secret 'KEY' is required"

    @pytest.mark.parametrize("path", ["/etc/x.yaml", "a/../b.yaml", "@stored/workflow.yaml", "a\\b.yaml"])
    async def test_a_path_that_is_none(self, site: Site, path: str):
        with pytest.raises(InvalidRequest) as caught:
            await site.submit("name: x\njobs: {a: {runs-on: web, steps: [{run: x}]}}", files={path: "on: call"})
        assert caught.value.message == f"{path!r} is not a path from the directory of the workflow file"

    async def test_keys_that_have_no_meaning_for_a_call(self, site: Site):
        with pytest.raises(InvalidWorkflow) as caught:
            await site.submit(
                "name: x\njobs: {a: {uses: ./b.yaml, retry: {max-attempts: 2}}}",
                files={"b.yaml": ONE_STEP.replace("STEP", "echo")},
            )
        assert caught.value.message == (
            "workflow.yaml:2: job a: retry has no meaning for a job that calls a workflow; write it in ./b.yaml"
        )
