"""Time travel: the tree as it was at a moment of the past."""

from __future__ import annotations

import re

import msgspec
import pytest

from waterflow_sdk.wire import ErrorInfo, JobState, RunState, State
from waterflow_server.runs import as_of

from .trees import attempt, job, moment, run, step, wait

ERROR = ErrorInfo(code="x", message="no")


def whole() -> RunState:
    """A run of ten seconds: a step with two attempts, an approval, a step that fails; a pause in between."""
    steps = [
        step(State.SUCCESS, 2, 5, attempts=[attempt(1, 2, 3, State.FAILED), attempt(2, 4, 5)], outputs={"n": 1}),
        step(State.SUCCESS, 5, 7, "steps[1]", node="approval", waits=[wait(5, 7)]),
        step(State.FAILED, 7, 9, "steps[2]", attempts=[attempt(1, 7, 9, State.FAILED)], error=ERROR),
        step(State.SKIPPED, None, 9, "steps[3]"),
    ]
    first = job(State.FAILED, 1, 2, 9, steps=steps, error=ERROR, pauses=[wait(2.5, 3.5, "freeze")])
    second = JobState(id="b", instance="b", name="b", state=State.SKIPPED, ended=moment(9), reason="a failed")
    return run(State.FAILED, 1, 10, first, second, error=ERROR, outputs={"x": 1}, pauses=[wait(2.5, 3.5, "freeze")])


def shown(second: float) -> list[str]:
    """States of run, jobs and steps then."""
    tree = as_of(whole(), moment(second))
    steps = [each.state.value for each in tree.jobs[0].steps]
    return [tree.state.value, *(each.state.value for each in tree.jobs), *steps]


@pytest.mark.parametrize(
    ("second", "states"),
    [
        (0, ["queued", "pending", "pending"]),
        (1, ["running", "queued", "pending"]),
        (2, ["running", "running", "pending", "running", "pending", "pending", "pending"]),
        (3, ["paused", "paused", "pending", "running", "pending", "pending", "pending"]),
        (4, ["running", "running", "pending", "running", "pending", "pending", "pending"]),
        (6, ["waiting", "waiting", "pending", "success", "waiting", "pending", "pending"]),
        (8, ["running", "running", "pending", "success", "success", "running", "pending"]),
        (9, ["running", "failed", "skipped", "success", "success", "failed", "skipped"]),
        (10, ["failed", "failed", "skipped", "success", "success", "failed", "skipped"]),
    ],
)
def test_states_at_each_moment(second: float, states: list[str]) -> None:
    assert shown(second) == states


def test_what_came_later_is_gone() -> None:
    tree = as_of(whole(), moment(3.2))
    first = tree.jobs[0].steps[0]
    assert (tree.error, tree.outputs, tree.ended, tree.reason) == (None, {}, None, "freeze")
    assert (first.outputs, first.ended) == ({}, None)
    assert [(each.number, each.state.value) for each in first.attempts] == [(1, "failed")]
    assert [each.until for each in tree.pauses] == [None]


def test_an_attempt_that_ran_then() -> None:
    (tried,) = as_of(whole(), moment(8)).jobs[0].steps[2].attempts
    assert (tried.state, tried.ended) == (State.RUNNING, None)


def test_the_agent_is_known_once_it_has_the_job() -> None:
    assert as_of(whole(), moment(1)).jobs[0].agent is None
    assert as_of(whole(), moment(2)).jobs[0].agent is not None


def test_after_the_end_it_is_the_tree_itself() -> None:
    assert as_of(whole(), moment(11)) == whole()


def test_what_a_retry_kept_was_there_all_the_time() -> None:
    kept = job(State.SUCCESS, -90, -80, -70, kept_from="r0")
    assert as_of(run(State.SUCCESS, 1, 9, kept), moment(5)).jobs == [kept]


def test_before_the_submit_there_was_nothing() -> None:
    with pytest.raises(ValueError, match=re.escape("run r1 was submitted only at 2026-11-21T10:00:00+00:00")):
        as_of(whole(), moment(-1))


def test_a_run_of_a_version_without_these_times() -> None:
    jobs = [msgspec.structs.replace(each, queued=None, pauses=[]) for each in whole().jobs]
    tree = as_of(msgspec.structs.replace(whole(), jobs=jobs), moment(6))
    assert [each.state.value for each in tree.jobs] == ["waiting", "pending"]
