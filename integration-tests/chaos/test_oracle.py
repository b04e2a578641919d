"""The oracle itself, held by workflows small enough to judge by eye; and the generator, which must be repeatable."""

from typing import Any

import pytest

from chaos._generate import generate
from chaos._model import Branch, Each, Job, Loop, Node, Step, Together, Workflow
from chaos._oracle import Expected, ExpectedRun, expect
from chaos._source import source
from waterflow_dsl import check


def job(*steps: Node, **given: Any) -> Job:
    """A job with nothing special about it."""
    plain: dict[str, Any] = {
        "id": "job",
        "needs": [],
        "where": "any",
        "matrix": 0,
        "max_parallel": 0,
        "fail_fast": False,
        "loss": "fail",
        "retry": 1,
        "tolerated": False,
        "condition": "",
        "on_failure": [],
        "finally_": [],
    }
    return Job(**{**plain, **given, "steps": list(steps)})


def expected(*jobs: Job, interrupted: dict[tuple[str, str, int], str] | None = None) -> ExpectedRun:
    return expect(Workflow(name="w", jobs=list(jobs)), lambda *key: (interrupted or {}).get(key, ""))


def paths(records: list[Expected]) -> list[str]:
    """Paths of all steps that had an attempt, in order."""
    return [
        path
        for record in records
        for path in ([record.path] * bool(record.attempts) if record.step else paths(record.children))
    ]


class TestStep:
    @pytest.mark.parametrize(
        ("step", "state", "conclusion", "attempts"),
        [
            (Step(name="s"), "success", "success", ["success"]),
            (Step(name="s", fails=1), "failed", "failed", ["failed"]),
            (Step(name="s", fails=1, retry=2), "success", "success", ["failed", "success"]),
            (Step(name="s", fails=9, retry=2), "failed", "failed", ["failed", "failed"]),
            (Step(name="s", fails=1, tolerated=True), "failed", "success", ["failed"]),
            (Step(name="s", condition="1 == 2"), "skipped", "skipped", []),
            (Step(name="s", condition="failure()"), "skipped", "skipped", []),
        ],
    )
    def test_ends(self, step: Step, state: str, conclusion: str, attempts: list[str]) -> None:
        (record,) = expected(job(step)).instances[0].steps
        assert (record.state, record.conclusion) == (state, conclusion)
        assert [attempt.state for attempt in record.attempts] == attempts

    def test_after_a_failure_only_some_run(self) -> None:
        steps = [Step(name="s", fails=9), Step(name="t"), Step(name="u", condition="always()")]
        steps.append(Step(name="v", condition="failure()"))
        found = expected(job(*steps)).instances[0].steps
        assert [record.state for record in found] == ["failed", "skipped", "success", "success"]


class TestInterrupted:
    @pytest.mark.parametrize(
        ("loss", "where", "code", "attempts"),
        [
            ("fail", "any", "agent-restarted", ["failed"]),
            ("reassign", "any", "agent-restarted", ["failed", "success"]),
            ("reassign", "a1", "agent-restarted", ["failed", "success"]),
            ("reassign", "any", "agent-lost", ["failed", "success"]),
            ("reassign", "a1", "agent-lost", ["failed"]),
            ("reassign", "a1", "fenced", ["failed", "success"]),
        ],
    )
    def test_the_policy_decides(self, loss: str, where: str, code: str, attempts: list[str]) -> None:
        run = expected(job(Step(name="s"), loss=loss, where=where), interrupted={("job", "steps[0]", 1): code})
        assert [attempt.state for attempt in run.instances[0].steps[0].attempts] == attempts


class TestBlocks:
    @pytest.mark.parametrize(
        ("node", "ran"),
        [
            (Branch(name="b", test=True, then=[Step(name="s")], otherwise=[]), ["steps[0].then[0]"]),
            (Branch(name="b", test=False, then=[], otherwise=[Step(name="s")]), ["steps[0].else[0]"]),
            (
                Each(name="e", items=2, parallel=1, fail_fast=True, steps=[Step(name="s")]),
                ["steps[0][0].steps[0]", "steps[0][1].steps[0]"],
            ),
            (
                Each(name="e", items=2, parallel=1, fail_fast=True, steps=[Step(name="s", fails=9)]),
                ["steps[0][0].steps[0]"],
            ),
            (
                Loop(name="l", turns=2, counter=Step(name="c"), steps=[]),
                ["steps[0][0].steps[0]", "steps[0][1].steps[0]"],
            ),
            (
                Together(name="t", limit=2, fail_fast=True, steps=[Step(name="s", fails=9), Step(name="u")]),
                ["steps[0].parallel[0]", "steps[0].parallel[1]"],
            ),
        ],
    )
    def test_run(self, node: Node, ran: list[str]) -> None:
        assert paths(expected(job(node)).instances[0].steps) == ran


class TestEndings:
    def test_what_has_succeeded_is_undone_in_reverse(self) -> None:
        one, two, bad = Step(name="one", undo=True), Step(name="two", undo=True), Step(name="bad", fails=9, undo=True)
        each = Each(name="e", items=2, parallel=1, fail_fast=True, steps=[two])
        (instance,) = expected(job(one, each, bad, finally_=[Step(name="f")])).instances
        assert paths(instance.endings) == [
            "steps[1][1].steps[0].rollback[0]",
            "steps[1][0].steps[0].rollback[0]",
            "steps[0].rollback[0]",
            "finally[0]",
        ]

    def test_of_a_job_that_is_tried_again_only_the_last_turn_counts(self) -> None:
        (instance,) = expected(job(Step(name="s", fails=1), retry=2)).instances
        assert (instance.state, len(instance.steps[0].attempts), instance.endings) == ("success", 2, [])


class TestJobs:
    def test_instances_are_named_by_matrix_and_host(self) -> None:
        run = expected(job(Step(name="s"), matrix=2, where="all"))
        assert [one.name for one in run.instances[:4]] == ["job[m0,a1]", "job[m0,a2]", "job[m0,a3]", "job[m1,a1]"]

    def test_a_failure_skips_what_needs_it_unless_it_is_tolerated(self) -> None:
        bad = Step(name="s", fails=9)
        for tolerated, state, after in ((False, "failed", "skipped"), (True, "success", "success")):
            run = expected(job(bad, tolerated=tolerated), job(Step(name="t"), id="next", needs=["job"]))
            assert (run.state, run.instances[1].state) == (state, after)

    def test_fail_fast_cancels_the_instances_that_have_not_begun(self) -> None:
        run = expected(job(Step(name="s", fails=9), matrix=3, max_parallel=1, fail_fast=True))
        assert [one.state for one in run.instances] == ["failed", "cancelled", "cancelled"]


class TestGenerator:
    def test_the_same_seed_makes_the_same(self) -> None:
        assert generate(7) == generate(7)
        assert generate(7) != generate(8)

    def test_every_file_is_valid(self) -> None:
        for seed in range(200):
            checked = check(source(generate(seed)[0], "/effects"), filename="workflow.json")
            assert checked.plan is not None, checked.diagnostics
