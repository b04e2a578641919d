"""The rules that watched runs are held against find what breaks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outside._watcher import Watched, disagreements
from waterflow_sdk.wire import AttemptState, EventKind, JobState, RunEvent, RunState, State, StepState

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def run(state: State, job: State, step: State, attempt: State = State.SUCCESS) -> RunState:
    attempts = [AttemptState(number=1, state=attempt)]
    steps = [StepState(path="steps[0]", name="s", state=step, attempts=attempts)]
    return RunState(
        id="r", name="n", state=state, jobs=[JobState(id="a", instance="a", name="a", state=job, steps=steps)]
    )


def test_an_end_is_final() -> None:
    watched = Watched()
    watched.look(RunState(id="r", name="n", state=State.SUCCESS))
    watched.look(RunState(id="r", name="n", state=State.RUNNING))
    assert watched.wrong == ["look 2: run became running after success"]


@pytest.mark.parametrize(
    ("tree", "wrong"),
    [
        (run(State.SUCCESS, State.RUNNING, State.SUCCESS), "run success with a running"),
        (run(State.RUNNING, State.SUCCESS, State.PENDING), "a/steps[0] pending in what has ended"),
        (
            run(State.RUNNING, State.RUNNING, State.SUCCESS, State.RUNNING),
            "a/steps[0]#1 running in what has ended",
        ),
    ],
)
def test_children_never_contradict_parents(tree: RunState, wrong: str) -> None:
    watched = Watched()
    watched.look(tree)
    assert watched.wrong == [f"look 1: {wrong}"]


def test_times_never_go_back() -> None:
    watched = Watched()
    watched.look(RunState(id="r", name="n", state=State.RUNNING, submitted=NOW, started=NOW - timedelta(seconds=1)))
    assert watched.wrong == ["look 1: run: times go back: 2026-11-21 10:00:00+00:00, 2026-11-21 09:59:59+00:00"]


def test_events_say_what_the_tree_says() -> None:
    event = RunEvent(id="1", time=NOW, kind=EventKind.RUN, state=State.RUNNING)
    other = RunEvent(id="1", time=NOW, kind=EventKind.JOB, state=State.RUNNING, path="b")
    assert disagreements(run(State.SUCCESS, State.SUCCESS, State.SUCCESS), [event, other]) == [
        "the last event says that the run is running, the tree success",
        "no event tells that a became success",
        "no event tells that a/steps[0] became success",
        "no event tells that a/steps[0]#1 became success",
        "events tell of b, which is not in the tree",
        "an event was told twice",
    ]
