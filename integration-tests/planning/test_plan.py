"""Plans: what a run would do, and that it then does it."""

import aiohttp
import msgspec
import pytest
from harness import Site

from waterflow_sdk.client import InvalidRequest, InvalidWorkflow, RunNotFound
from waterflow_sdk.wire import AgentStatus, PlannedJob, PlanView, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILE = """
name: shop
run-name: Shop in ${{ inputs.env }}
on: {manual: {inputs: {env: {default: prod}, version: {required: true}}}}
secrets: {TOKEN: {required: true}}
vars: {regions: [eu, us]}
concurrency: deploy-${{ inputs.env }}
jobs:
  build:
    runs-on: {group: web, target: all}
    steps:
      - {id: make, run: "echo ${{ secrets.TOKEN }} ${{ inputs.env }}"}
      - {if: "steps.make.outputs.x == 'y'", run: "echo ${{ steps.make.outputs.x }}"}
  deploy:
    needs: build
    if: inputs.env == 'prod'
    runs-on: db
    strategy: {matrix: {region: "${{ vars.regions }}"}}
    steps:
      - {uses: sleep, with: {duration: 1ms}}
      - parallel: [{run: echo a}, {run: echo b}]
      - run: echo ${{ matrix.region }}
  dev:
    needs: build
    if: inputs.env == 'dev'
    runs-on: away
    steps: [run: echo]
  undo:
    needs: deploy
    if: failure()
    runs-on: web
    steps: [run: echo]
"""


async def planned(site: Site, yaml: str = FILE, **given: object) -> PlanView:
    """The plan of a file."""
    return await site.client.plan(yaml, **({"inputs": {"version": "1"}} | given))  # type: ignore[arg-type]


def job(view: PlanView, name: str) -> PlannedJob:
    """One job of a plan."""
    return next(each for each in view.jobs if each.id == name)


class TestJobs:
    async def test_instances_are_those_that_the_run_has(self, site: Site):
        view = await planned(site)
        state = await site.run(FILE, inputs={"version": "1"}, secrets={"TOKEN": "hunter2"})
        assert state.state is State.SUCCESS, state.error
        expected = [name.name for each in view.jobs if each.condition.expected for name in each.instances]
        assert expected == [each.instance for each in state.jobs if each.state is not State.SKIPPED]
        assert expected == ["build[web-01]", "build[web-02]", "deploy[eu]", "deploy[us]"]

    async def test_hosts_are_those_of_now_with_who_is_away(self, site: Site):
        view = await planned(site)
        assert [(each.agent.name, each.status) for each in job(view, "build").hosts] == [
            ("web-01", AgentStatus.ONLINE),
            ("web-02", AgentStatus.ONLINE),
        ]
        (away,) = job(view, "dev").hosts
        assert (away.agent.name, away.status) == ("away-01", AgentStatus.OFFLINE)

    async def test_a_matrix_of_another_jobs_outputs_is_not_known(self, site: Site):
        yaml = """
            jobs:
              list: {runs-on: web, steps: [run: echo], outputs: {hosts: "[]"}}
              each:
                needs: list
                for-each: ${{ fromJSON(needs.list.outputs.hosts) }}
                runs-on: web
                steps: [run: echo]
        """
        view = await planned(site, yaml, inputs={})
        found = job(view, "each")
        assert (found.instance_count, found.unknown) == (None, "depends on the outputs of `list`")
        assert (view.instances, view.at_least) == (1, True)


class TestConditions:
    async def test_what_is_decided_and_what_the_others_depend_on(self, site: Site):
        view = await planned(site)
        found = {each.id: (each.condition.decision, each.condition.expected, each.condition.why) for each in view.jobs}
        assert found == {
            "build": ("true", True, ""),
            "deploy": ("unknown", True, "how `build` ends"),
            "dev": ("false", False, ""),
            "undo": ("unknown", False, "whether `build` or `deploy` fails"),
        }

    async def test_jobs_behind_a_skipped_one_are_skipped_too(self, site: Site):
        yaml = """
            vars: {x: 1}
            jobs:
              a: {if: vars.x == 2, runs-on: web, steps: [run: echo]}
              b: {needs: a, runs-on: web, steps: [run: echo]}
        """
        view = await planned(site, yaml, inputs={})
        assert [each.condition.decision for each in view.jobs] == ["false", "false"]

    async def test_an_input_that_is_missing_leaves_it_open(self, site: Site):
        yaml = FILE.replace("inputs.env == 'prod'", "inputs.version == '1'")
        view = await planned(site, yaml, inputs={})
        assert job(view, "deploy").condition.why == "the input `version`, which is not given"


class TestWhole:
    async def test_counts_longest_path_and_concurrency(self, site: Site):
        view = await planned(site)
        assert (view.title, view.instances, view.steps, view.at_least) == ("Shop in prod", 4, 12, False)
        assert view.critical_path == ["build", "deploy"]
        assert view.concurrency is not None
        assert view.concurrency.group == "deploy-prod"

    async def test_secrets_by_name_and_what_is_missing(self, site: Site):
        view = await planned(site)
        assert [(each.name, each.given, each.jobs) for each in view.secrets] == [("TOKEN", False, ["build"])]
        assert not view.valid
        assert [each["message"] for each in view.problems] == ["secret 'TOKEN' is required"]

    async def test_approvals_on_the_way(self, site: Site):
        yaml = """
            vars: {env: prod}
            jobs:
              a:
                runs-on: web
                steps: [{uses: approval, with: {message: "Go to ${{ vars.env }}?", approvers: [ops]}}]
        """
        view = await planned(site, yaml, inputs={})
        assert [(each.job, each.step, each.message, each.approvers) for each in view.approvals] == [
            ("a", "steps[0]", "Go to prod?", ["ops"])
        ]

    async def test_placement_is_among_its_diagnostics(self, site: Site):
        view = await planned(site, "jobs: {a: {runs-on: away, steps: [run: echo]}}", inputs={})
        assert (view.valid, [each["code"] for each in view.diagnostics]) == (False, ["WF1709"])


class TestOfRun:
    async def test_a_run_has_the_plan_of_its_file(self, site: Site):
        run = await site.submit(FILE, inputs={"version": "1", "env": "dev2"}, secrets={"TOKEN": "hunter2"})
        view = await run.plan()
        assert [each.condition.decision for each in view.jobs] == ["true", "false", "false", "unknown"]
        assert view.concurrency is not None
        assert view.concurrency.group == "deploy-dev2"
        await run.wait(180)

    async def test_of_a_run_that_is_not_there(self, site: Site):
        with pytest.raises(RunNotFound):
            await site.client.run("nothing").plan()


class TestDryRun:
    async def test_walks_through_the_steps_with_what_is_known(self, site: Site):
        view = await planned(site, secrets={"TOKEN": "hunter2"}, dry_run=True)
        first, second = job(view, "build").instances[0].steps
        assert first.inputs == {"run": "echo *** prod"}
        assert second.inputs == {"run": "echo ${{ steps.make.outputs.x }}"}
        assert second.condition is not None
        assert (second.condition.decision, second.condition.why) == ("unknown", "the step `make`")
        regions = [each.steps[-1].inputs["run"] for each in job(view, "deploy").instances]
        assert regions == ["echo eu", "echo us"]
        assert [each.path for each in job(view, "deploy").instances[0].steps[1].steps] == [
            "steps[1].parallel[0]",
            "steps[1].parallel[1]",
        ]

    async def test_starts_nothing(self, site: Site):
        before = [run.id async for run in site.client.runs(name="shop")]
        await planned(site, secrets={"TOKEN": "hunter2"}, dry_run=True)
        assert [run.id async for run in site.client.runs(name="shop")] == before

    async def test_at_a_submit_starts_nothing_and_tells_the_same(self, site: Site):
        before = [run.id async for run in site.client.runs(name="shop")]
        body = {"yaml": FILE, "inputs": {"version": "1"}, "secrets": {"TOKEN": "hunter2"}, "dry_run": True}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{site.url}/v1/workflows", json=body) as answer:
                assert answer.status == 200
                told = msgspec.convert(await answer.json(), PlanView)
            async with session.post(f"{site.url}/v1/workflows", json={**body, "labels": ["'"]}) as answer:
                assert (answer.status, (await answer.json())["code"]) == (422, "invalid-inputs")
        view = await planned(site, secrets={"TOKEN": "hunter2"}, dry_run=True)
        assert [(job.id, job.condition, job.instances) for job in told.jobs] == [
            (job.id, job.condition, job.instances) for job in view.jobs
        ]
        assert [run.id async for run in site.client.runs(name="shop")] == before

    async def test_refuses_what_a_submit_refuses(self, site: Site):
        with pytest.raises(InvalidRequest, match="secret 'TOKEN' is required"):
            await planned(site, dry_run=True)
        with pytest.raises(InvalidWorkflow, match="is online"):
            await planned(site, "jobs: {a: {runs-on: away, steps: [run: echo]}}", inputs={}, dry_run=True)

    async def test_a_secret_is_masked_wherever_its_text_stands(self, site: Site):
        view = await planned(
            site, inputs={"version": "1", "env": "hunter2"}, secrets={"TOKEN": "hunter2"}, dry_run=True
        )
        assert job(view, "build").instances[0].steps[0].inputs == {"run": "echo *** ***"}

    async def test_inputs_that_the_node_will_refuse(self, site: Site):
        yaml = """
            vars: {wait: soon}
            jobs:
              a:
                runs-on: web
                steps: [{uses: http/request, with: {url: "http://x", timeout: "${{ vars.wait }}"}}]
        """
        view = await planned(site, yaml, inputs={}, dry_run=True)
        (problem,) = job(view, "a").instances[0].steps[0].problems
        assert problem.startswith("`timeout`:")
