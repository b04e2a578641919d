"""The events of a run, read out of its state tree."""

from __future__ import annotations

from waterflow_sdk.wire import ErrorInfo, EventKind, RunState, State
from waterflow_server.runs import events_of

from .trees import TEN, attempt, job, moment, run, step, wait


def told(tree: RunState, *kinds: EventKind) -> list[str]:
    """``second path state reason`` of each event."""
    return [
        " ".join(
            part
            for part in (f"{(each.time - TEN).total_seconds():g}", each.path, each.state.value, each.reason)
            if part
        )
        for each in events_of(tree)
        if not kinds or each.kind in kinds
    ]


class TestRun:
    def test_queued_running_and_how_it_ended(self) -> None:
        tree = run(State.FAILED, 1, 9, error=ErrorInfo(code="x", message="job a: no"))
        assert told(tree) == ["0 queued", "1 running", "9 failed job a: no"]

    def test_a_pause_covers_what_it_would_show_otherwise(self) -> None:
        waiting = job(State.WAITING, 1, 1, None, steps=[step(State.WAITING, 1, waits=[wait(2, 6)])])
        tree = run(State.RUNNING, 1, None, waiting, pauses=[wait(3, 5, "freeze")])
        assert told(tree, EventKind.RUN) == [
            "0 queued",
            "1 running",
            "2 waiting a: approval: go?",
            "3 paused freeze",
            "5 waiting a: approval: go?",
            "6 running",
        ]

    def test_a_pause_that_the_end_cut_short(self) -> None:
        tree = run(State.CANCELLED, 1, 9, pauses=[wait(3, 9, "freeze")], reason="enough")
        assert told(tree) == ["0 queued", "1 running", "3 paused freeze", "9 cancelled enough"]


class TestJob:
    def test_it_says_why_it_looks_for_an_agent(self) -> None:
        tree = run(State.RUNNING, 0, None, job(State.RUNNING, 1, 8, None, waits=[wait(3, 8, "all 2 are busy")]))
        assert told(tree, EventKind.JOB) == ["1 a queued", "3 a queued all 2 are busy", "8 a running"]

    def test_one_that_was_skipped(self) -> None:
        tree = run(State.RUNNING, 0, None, job(State.SKIPPED, None, None, 4, reason="b failed"))
        assert told(tree, EventKind.JOB) == ["4 a skipped b failed"]

    def test_one_that_has_not_begun_has_none(self) -> None:
        assert told(run(State.RUNNING, 0, None, job(State.PENDING, None, None, None)), EventKind.JOB) == []

    def test_a_kept_one_is_there_from_the_beginning_without_its_steps(self) -> None:
        kept = job(State.SUCCESS, -90, -80, -70, kept_from="r0", steps=[step(State.SUCCESS, -80, -70)])
        assert told(run(State.RUNNING, 2, None, kept)) == ["0 queued", "2 running", "2 a success kept from run r0"]


class TestStep:
    def test_blocks_and_what_is_in_them(self) -> None:
        inner = step(State.SUCCESS, 2, 3, "steps[0].then[0]")
        block = step(State.SUCCESS, 1, 4, steps=[inner])
        tree = run(State.RUNNING, 0, None, job(State.RUNNING, 1, 1, None, steps=[block]))
        assert told(tree, EventKind.STEP) == [
            "1 a/steps[0] running",
            "2 a/steps[0].then[0] running",
            "3 a/steps[0].then[0] success",
            "4 a/steps[0] success",
        ]

    def test_kept_ones_are_told_once(self) -> None:
        kept = step(State.SUCCESS, -80, -70, attempts=[attempt(1, -80, -70)])
        tree = run(State.RUNNING, 0, None, job(State.RUNNING, 1, 2, None, steps=[kept]))
        assert told(tree, EventKind.STEP, EventKind.ATTEMPT) == [
            "1 a/steps[0] success kept from the run that this one retries"
        ]

    def test_attempts(self) -> None:
        tries = [attempt(1, 1, 2, State.FAILED), attempt(2, 4, None, State.RUNNING)]
        tree = run(
            State.RUNNING, 0, None, job(State.RUNNING, 1, 1, None, steps=[step(State.RUNNING, 1, attempts=tries)])
        )
        assert [(each.attempt, each.state.value) for each in events_of(tree) if each.kind is EventKind.ATTEMPT] == [
            (1, "running"),
            (1, "failed"),
            (2, "running"),
        ]


class TestApproval:
    def test_asked_and_answered_by_whom(self) -> None:
        asked = step(
            State.SUCCESS, 1, 5, node="approval", waits=[wait(1, 5)], outputs={"by": "ann", "inputs": {"ticket": "T"}}
        )
        tree = run(State.RUNNING, 0, None, job(State.RUNNING, 1, 1, None, steps=[asked]))
        first, last = [each for each in events_of(tree) if each.kind is EventKind.APPROVAL]
        assert (first.state, first.reason) == (State.WAITING, "approval: go?")
        assert (last.state, last.time, last.data) == (
            State.SUCCESS,
            moment(5),
            {"by": "ann", "inputs": {"ticket": "T"}},
        )

    def test_nobody_answered(self) -> None:
        late = ErrorInfo(code="approval-timeout", message="nobody answered within 4s")
        asked = step(State.FAILED, 1, 5, node="approval", waits=[wait(1, 5)], error=late)
        tree = run(State.RUNNING, 0, None, job(State.RUNNING, 1, 1, None, steps=[asked]))
        assert told(tree, EventKind.APPROVAL)[-1] == "5 a/steps[0] timed-out nobody answered within 4s"


class TestIds:
    def test_a_later_look_gives_those_of_an_earlier_one_the_same_ids(self) -> None:
        def tree(state: State, ended: float | None) -> RunState:
            tries = [attempt(1, 2 if ended is None else 2.5, ended, state)]
            steps = [step(state, 2, ended, attempts=tries)]
            return run(state, 1, ended, job(state, 1, 2, ended, steps=steps))

        early = {each.id for each in events_of(tree(State.RUNNING, None))}
        late = [each.id for each in events_of(tree(State.SUCCESS, 9))]
        assert early <= set(late)
        assert len(late) == len(set(late))
