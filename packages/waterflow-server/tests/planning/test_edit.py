"""What an edit keeps: one case for each kind of change."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_dsl import check
from waterflow_sdk.wire import AgentRef, EditReport, JobState, RunState, State, StepState
from waterflow_server.engine._wire import ResumePoint
from waterflow_server.runs._edit import Side, plan_edit

FILE = """
vars: {app: shop, mode: fast}
env: {TZ: UTC}
jobs:
  build:
    runs-on: web
    env: {A: one}
    outputs: {v: "${{ steps.b.outputs.v }}"}
    steps:
      - {id: b, run: make}
      - run: echo ${{ vars.app }}
  deploy:
    needs: build
    runs-on: web
    strategy: {matrix: {region: [eu, us]}}
    steps:
      - run: pull
      - run: start
      - run: check
    finally: [run: clean]
  report:
    needs: deploy
    runs-on: web
    steps: [run: report]
"""
AGENT = AgentRef(id="a1", name="web-01")


def side(text: str, **given: Any) -> Side:
    plan = check(text, variables=["app", "mode"]).plan
    assert plan is not None
    return Side(plan=plan, **given)


def steps(count: int) -> list[StepState]:
    return [
        StepState(path=f"steps[{number}]", name="", state=State.SUCCESS, conclusion=State.SUCCESS)
        for number in range(count)
    ]


def job(name: str, instance: str, state: State, *, region: str | None = None) -> JobState:
    agent = None if state is State.SKIPPED else AGENT
    matrix = {"region": region} if region else None
    return JobState(id=name, instance=instance, name=name, state=state, agent=agent, matrix=matrix)


RUN = RunState(
    id="r1",
    name="x",
    state=State.FAILED,
    jobs=[
        job("build", "build", State.SUCCESS),
        job("deploy", "deploy[eu]", State.SUCCESS, region="eu"),
        job("deploy", "deploy[us]", State.FAILED, region="us"),
        job("report", "report", State.SKIPPED),
    ],
)
POINTS = {
    "build": ResumePoint(steps=steps(2), agent=AGENT),
    "deploy[eu]": ResumePoint(steps=steps(3), agent=AGENT),
    "deploy[us]": ResumePoint(steps=steps(1), agent=AGENT),
}


def edited(
    text: str, points: dict[str, ResumePoint | None] | None = None, elements: Any = None, **new: Any
) -> EditReport:
    return plan_edit(side(FILE), side(text, **new), RUN, points or dict(POINTS), lambda _job: elements).report


def told(report: EditReport) -> list[tuple[str, str, str]]:
    return [(each.instance, each.action, each.why) for each in report.jobs]


REPORT = ("report", "again", "it needs deploy, which runs again")
FAILED = ("deploy[us]", "resume", "it failed")
EU = ("deploy[eu]", "keep", "")
BUILD = ("build", "keep", "")


class TestNothingChanged:
    def test_it_is_as_a_retry_from_the_failed_steps(self) -> None:
        report = edited(FILE)
        assert told(report) == [BUILD, EU, FAILED, REPORT]
        assert (report.jobs[2].kept, report.jobs[2].first) == (["steps[0]"], "steps[1]")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("run: pull", "name: Pull it\n        run: pull"),
            ("run: pull", "timeout: 5m\n        run: pull"),
            ("run: pull", "retry: {max-attempts: 3}\n        run: pull"),
            ("run: pull", "rollback: {run: undo}\n        run: pull"),
            ("run: pull", "continue-on-error: true\n        run: pull"),
            ("    finally: [run: clean]", "    finally: [run: other]"),
            (
                "    needs: build\n    runs-on: web\n    strategy",
                "    needs: build\n    timeout: 1h\n    runs-on: web\n    strategy",
            ),
            ("matrix: {region: [eu, us]}", "matrix: {region: [eu, us]}, max-parallel: 1"),
            ("\njobs:", "\n\n\njobs:"),
        ],
    )
    def test_how_a_step_is_tried_timed_undone_or_named_does_not_count(self, old: str, new: str) -> None:
        assert old in FILE
        assert told(edited(FILE.replace(old, new))) == [BUILD, EU, FAILED, REPORT]


class TestSteps:
    def test_a_failed_step_that_was_changed(self) -> None:
        report = edited(FILE.replace("run: start", "run: begin"))
        assert told(report)[1:3] == [
            ("deploy[eu]", "resume", "steps[1] changed (`with`)"),
            ("deploy[us]", "resume", "it failed, steps[1] changed (`with`)"),
        ]
        assert report.jobs[1].kept == ["steps[0]"]

    def test_the_first_step_leaves_nothing_to_keep(self) -> None:
        assert told(edited(FILE.replace("run: pull", "run: fetch")))[2] == (
            "deploy[us]",
            "again",
            "it failed, steps[0] changed (`with`)",
        )

    def test_one_more_at_the_end_of_a_job_that_has_succeeded(self) -> None:
        report = edited(FILE.replace("      - run: check\n", "      - run: check\n      - run: tell\n"))
        assert told(report)[1] == ("deploy[eu]", "resume", "steps[3] is new")
        assert (report.jobs[1].kept, report.jobs[1].first) == (["steps[0]", "steps[1]", "steps[2]"], "steps[3]")

    def test_one_less_at_the_end_changes_nothing_that_was_done(self) -> None:
        assert told(edited(FILE.replace("      - run: check\n", "")))[1] == EU

    def test_a_condition_counts(self) -> None:
        report = edited(FILE.replace("- run: start", "- {if: vars.app, run: start}"))
        assert told(report)[1] == ("deploy[eu]", "resume", "steps[1] changed (`if`)")


class TestValues:
    def test_a_variable_counts_where_it_is_read(self) -> None:
        report = edited(FILE.replace("app: shop", "app: blog"))
        assert report.changes == ["vars.app changed"]
        assert told(report)[0] == ("build", "resume", "steps[1] reads vars.app, which changed")
        assert told(report)[1] == ("deploy[eu]", "again", "it needs build, which runs again")

    def test_one_that_nobody_reads_changes_nothing(self) -> None:
        report = edited(FILE.replace("mode: fast", "mode: slow"))
        assert (report.changes, told(report)) == (["vars.mode changed"], [BUILD, EU, FAILED, REPORT])

    def test_the_environment_of_the_file_is_everywhere(self) -> None:
        report = edited(FILE.replace("TZ: UTC", "TZ: GMT"))
        assert report.changes == ["env.TZ changed"]
        assert {why for _, _, why in told(report)} == {"the environment of the file changed"}


class TestJobs:
    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ("env: {A: one}", "env: {A: two}", "its `env` changed"),
            ("build:\n    runs-on: web", "build:\n    runs-on: db", "its `runs-on` changed"),
        ],
    )
    def test_what_all_its_steps_depend_on(self, old: str, new: str, why: str) -> None:
        assert told(edited(FILE.replace(old, new)))[0] == ("build", "again", why)

    def test_outputs_are_made_anew_without_any_step(self) -> None:
        report = edited(FILE.replace("steps.b.outputs.v }}", "steps.b.outputs.w }}"))
        assert told(report)[0] == ("build", "resume", "its `outputs` changed")
        assert (report.jobs[0].kept, report.jobs[0].first) == (["steps[0]", "steps[1]"], "")

    def test_a_new_one_and_one_that_is_gone(self) -> None:
        report = edited(FILE.replace("  report:\n", "  summary:\n"))
        assert told(report)[3:] == [
            ("summary", "new", "it is not in the old definition"),
            ("report", "removed", ""),
        ]

    def test_elements_that_stay_are_kept(self) -> None:
        text = FILE.replace("[eu, us]", "[eu, cn]")
        elements = [{"matrix": {"region": "eu"}}, {"matrix": {"region": "cn"}}]
        assert told(edited(text, elements=elements))[1:3] == [
            EU,
            ("deploy[us]", "again", "its element is not in the new matrix or list"),
        ]

    def test_elements_that_nobody_knows_yet_are_not(self) -> None:
        text = FILE.replace("[eu, us]", "'${{ fromJSON(needs.build.outputs.v) }}'")
        assert told(edited(text))[1] == ("deploy[eu]", "again", "its matrix or list changed")


class TestHosts:
    def test_an_instance_whose_host_is_away_runs_again(self) -> None:
        points: dict[str, ResumePoint | None] = {**POINTS, "deploy[us]": None}
        assert told(edited(FILE, points))[2] == ("deploy[us]", "again", "it failed; its host web-01 is away")
