"""The verdict itself: what it must find, it finds."""

from datetime import UTC, datetime

import pytest

from chaos._model import Fault, Job, Step, Workflow
from chaos._verdict import Verdict
from waterflow_sdk.wire import AttemptState, ErrorInfo, JobState, LogLine, LogStreamKind, RunState, State, StepState

NOW = datetime(2026, 11, 21, tzinfo=UTC)
STEP = Step(name="s", fails=1, retry=2, lines=2)
WORKFLOW = Workflow(
    name="w",
    jobs=[
        Job(
            id="job",
            needs=[],
            where="any",
            matrix=0,
            max_parallel=0,
            fail_fast=False,
            loss="fail",
            retry=1,
            tolerated=False,
            condition="",
            steps=[STEP],
            on_failure=[],
            finally_=[],
        )
    ],
)
FIRST, SECOND = "r/job/steps[0].1", "r/job/steps[0].2"
EFFECTS = [f"begin {FIRST}", f"end {FIRST}", f"begin {SECOND}", f"end {SECOND}"]


def run(*, state: State = State.SUCCESS, code: str = "process-failed") -> RunState:
    """The run as it is right: a failed attempt, then one that succeeds."""
    attempts = [
        AttemptState(number=1, state=State.FAILED, error=ErrorInfo(code=code, message="")),
        AttemptState(number=2, state=State.SUCCESS),
    ]
    step = StepState(path="steps[0]", name="s", state=State.SUCCESS, attempts=attempts)
    job = JobState(id="job", instance="job", name="job", state=State.SUCCESS, steps=[step])
    return RunState(id="r", name="w", state=state, jobs=[job])


def verdict(*faults: Fault, state: State = State.SUCCESS, code: str = "process-failed") -> Verdict:
    return Verdict(WORKFLOW, run(state=state, code=code), faults)


def logged(*texts: tuple[int, str]) -> list[LogLine]:
    return [
        LogLine(
            cursor="",
            job="job",
            step="steps[0]",
            attempt=attempt,
            agent="a1",
            time=NOW,
            stream=LogStreamKind.STDOUT,
            text=text,
        )
        for attempt, text in texts
    ]


LINES = [(1, "line 1 of s"), (1, "line 2 of s"), (2, "line 1 of s"), (2, "line 2 of s")]


class TestRight:
    def test_nothing_is_wrong(self) -> None:
        found = verdict()
        found.check_effects(EFFECTS)
        found.check_logs(logged(*LINES))
        assert found.problems == []

    def test_an_interrupted_attempt_may_have_had_its_effect_and_lines_in_part(self) -> None:
        found = verdict(Fault(at=0, target="a1", down=0), code="agent-restarted")
        found.check_effects([EFFECTS[0], *EFFECTS[2:]])
        found.check_logs(logged(LINES[0], *LINES[2:]))
        assert found.problems == []


class TestState:
    def test_another_than_expected(self) -> None:
        assert verdict(state=State.FAILED).problems == ["run: failed instead of success"]

    @pytest.mark.parametrize(
        "faults",
        [[], [Fault(at=0, target="server", down=0)], [Fault(at=0, target="a1", down=0, freeze=True)]],
        ids=["no fault", "another's", "one that restarts nothing"],
    )
    def test_an_interruption_without_a_cause(self, faults: list[Fault]) -> None:
        found = verdict(*faults, code="agent-restarted")
        assert found.problems == ["job/steps[0].1 is agent-restarted without a cause"]


class TestEffects:
    @pytest.mark.parametrize(
        ("effects", "problem"),
        [
            (EFFECTS[:3], f"no effect end of {SECOND}"),
            (EFFECTS[:2], f"no effect begin and end of {SECOND}"),
            ([*EFFECTS, EFFECTS[3]], f"effect 2 times: end {SECOND}"),
            ([*EFFECTS, "begin r/job/steps[0].3"], "effect of an attempt that nobody knows: begin r/job/steps[0].3"),
            ([EFFECTS[0], EFFECTS[2], EFFECTS[1], EFFECTS[3]], f"{SECOND} began before the end of {FIRST}"),
        ],
        ids=["half", "lost", "twice", "unknown", "at once"],
    )
    def test_wrong(self, effects: list[str], problem: str) -> None:
        found = verdict()
        found.check_effects(effects)
        assert found.problems == [problem]


class TestLogs:
    @pytest.mark.parametrize(
        "lines",
        [LINES[:3], [*LINES, LINES[3]], [LINES[1], LINES[0], *LINES[2:]]],
        ids=["lost", "twice", "out of order"],
    )
    def test_wrong(self, lines: list[tuple[int, str]]) -> None:
        found = verdict()
        found.check_logs(logged(*lines))
        assert len(found.problems) == 1
        assert found.problems[0].startswith("log of r/job/steps[0].")
