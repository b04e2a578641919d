"""Plans without a server: what is told of rollouts, blocks, paths and conditions."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_dsl import Catalog, NodeSignature, check
from waterflow_sdk.wire import AgentState, AgentStatus, PlannedStep, PlanView
from waterflow_server.catalog import Snapshot
from waterflow_server.planning import Given, view_of

SHELL = NodeSignature(name="shell", version="1.0.0")


def agent(name: str, *groups: str, status: AgentStatus = AgentStatus.ONLINE, tags: tuple[str, ...] = ()) -> AgentState:
    return AgentState(id=f"id-{name}", name=name, status=status, groups=list(groups), tags=list(tags))


AGENTS = [
    *(agent(f"web-{number:02}", "web", tags=("canary",) if number == 3 else ()) for number in range(1, 11)),
    agent("db-01", "db", status=AgentStatus.CORDONED),
]
CATALOG = Catalog(nodes={"shell": SHELL}, groups=frozenset({"web", "db", "every"}))


def view(file: str, *, target_all: tuple[str, ...] = (), steps: bool = False, **given: Any) -> PlanView:
    plan = check(file, catalog=CATALOG).plan
    assert plan is not None
    snapshot = Snapshot(entries=[], language=CATALOG, taken=0.0, agents=AGENTS, target_all=list(target_all))
    return view_of(plan, Given(**given), snapshot, steps=steps)


def walked(steps: str, **given: Any) -> list[PlannedStep]:
    """The dry run of one job's steps."""
    file = f"vars: {{env: prod, regions: [eu, us]}}\njobs:\n  a:\n    runs-on: web\n    steps:\n{steps}"
    return view(file, steps=True, **given).jobs[0].instances[0].steps


class TestTargets:
    @pytest.mark.parametrize(
        ("runs_on", "target", "every", "hosts"),
        [
            ("db", "the group `db`", False, ["db-01"]),
            ("{group: [web, db], tags: [canary]}", "the groups `web`, `db` with the tag `canary`", False, ["web-03"]),
            ("[canary]", "all servers with the tag `canary`", False, ["web-03"]),
            ("{agent: db-01}", "the agent `db-01`", False, ["db-01"]),
            ("all-servers", "all servers", True, [each.name for each in AGENTS]),
        ],
    )
    def test_in_words_with_their_hosts(self, runs_on: str, target: str, every: bool, hosts: list[str]) -> None:
        (job,) = view(f"jobs: {{a: {{runs-on: {runs_on}, steps: [run: echo]}}}}").jobs
        assert (job.target, job.all) == (target, every)
        assert [host.agent.name for host in job.hosts] == hosts

    def test_a_group_may_mean_every_member(self) -> None:
        (job,) = view("jobs: {a: {runs-on: web, steps: [run: echo]}}", target_all=("web",)).jobs
        assert (job.all, job.instance_count) == (True, 10)

    def test_the_only_host_is_the_host_of_the_instance(self) -> None:
        (job,) = view("jobs: {a: {runs-on: db, steps: [run: echo]}}").jobs
        assert job.instances[0].agent == job.hosts[0].agent


class TestRollout:
    @pytest.mark.parametrize(
        ("rollout", "sizes"),
        [("{batches: [1, 30%, 100%]}", [1, 2, 7]), ("{batch: 4}", [4, 4, 2]), ("{max-failures: 1}", [10])],
    )
    def test_batches_are_those_of_the_interpreter(self, rollout: str, sizes: list[int]) -> None:
        file = f"jobs: {{a: {{runs-on: {{group: web, target: all}}, rollout: {rollout}, steps: [run: echo]}}}}"
        assert [len(batch) for batch in view(file).jobs[0].batches] == sizes

    def test_ranks_come_first(self) -> None:
        rollout = "{batches: [1, 100%], order: ['tag:canary', name]}"
        file = f"jobs: {{a: {{runs-on: {{group: web, target: all}}, rollout: {rollout}, steps: [run: echo]}}}}"
        assert view(file).jobs[0].batches[0] == ["web-03"]


class TestPath:
    @pytest.mark.parametrize(
        ("jobs", "path"),
        [
            ("{a: {S: 1}, b: {S: 2}}", ["b"]),
            ("{a: {S: 1}, b: {needs: a, S: 1}, c: {needs: a, S: 3}}", ["a", "c"]),
            ("{a: {S: 1}, b: {S: 5}, c: {needs: [a, b], S: 1}}", ["b", "c"]),
            ("{a: {S: 9, if: vars.no}, b: {S: 1}}", ["b"]),
        ],
    )
    def test_is_the_longest_in_steps(self, jobs: str, path: list[str]) -> None:
        for count in (1, 2, 3, 5, 9):
            steps = ", ".join(["run: echo"] * 1) if count == 1 else ", ".join(["{run: echo}"] * count)
            jobs = jobs.replace(f"S: {count}", f"runs-on: web, steps: [{steps}]")
        assert view(f"vars: {{no: false}}\njobs: {jobs}").critical_path == path


class TestSteps:
    def test_a_branch_that_is_decided_shows_its_steps_alone(self) -> None:
        (block,) = walked(
            "      - {if: vars.env == 'prod', then: [run: yes], else: [run: no]}".replace(
                "[run: yes]", "[{run: 'yes'}]"
            ).replace("[run: no]", "[{run: 'no'}]")
        )
        assert (block.note, [step.inputs["run"] for step in block.steps]) == ("then", ["yes"])

    def test_one_that_is_not_shows_both(self) -> None:
        first, block = walked(
            "      - {id: s, run: echo}\n      - {if: steps.s.outputs.x, then: [{run: a}], else: [{run: b}]}"
        )
        assert first.condition is None
        assert (block.note, [step.inputs["run"] for step in block.steps]) == ("then or else", ["a", "b"])

    @pytest.mark.parametrize(
        ("step", "note"),
        [
            ("{for-each: '${{ vars.regions }}', steps: [{run: echo}]}", "for each of 2 elements"),
            ("{for-each: '${{ vars.regions }}', run: echo}", "for each of 2 elements"),
            ("{parallel: [{run: a}, {run: b}]}", "at once"),
            ("{while: vars.env == 'dev', steps: [{run: echo}]}", "never: vars.env == 'dev' is false"),
            ("{while: vars.env == 'prod', steps: [{run: echo}]}", "while vars.env == 'prod'"),
        ],
    )
    def test_blocks_say_how_often(self, step: str, note: str) -> None:
        assert walked(f"      - {step}")[0].note == note

    def test_environment_of_job_and_step_is_known(self) -> None:
        file = """
            vars: {app: shop}
            env: {A: file}
            jobs:
              a:
                runs-on: web
                env: {B: "job-${{ vars.app }}"}
                steps: [{env: {C: "step-${{ env.B }}"}, run: "echo ${{ env.A }} ${{ env.C }}"}]
        """
        (step,) = view(file, steps=True).jobs[0].instances[0].steps
        assert (step.env, step.inputs) == ({"C": "step-job-shop"}, {"run": "echo file step-job-shop"})

    def test_a_variable_that_a_step_sets_is_not_known(self) -> None:
        *_, last = walked(
            "      - {uses: vars/set, with: {env: '${{ now() }}'}}\n"
            "      - run: echo ${{ vars.env }} ${{ vars.regions[0] }}"
        )
        assert last.inputs == {"run": "echo ${{ vars.env }} eu"}

    def test_no_value_of_a_secret_is_shown(self) -> None:
        file = """
            secrets: {T: {}}
            jobs:
              a:
                runs-on: web
                steps: [{run: "echo ${{ secrets.T }} ${{ toJSON(secrets) }} ${{ format('{0}', secrets.T) }}"}]
        """
        found = view(file, steps=True, secrets={"T": "hunter2"})
        assert found.jobs[0].instances[0].steps[0].inputs == {"run": "echo *** *** ***"}
        assert [(each.name, each.given, each.jobs) for each in found.secrets] == [("T", True, ["a"])]
