"""A run that waits for people: what is shown of it, and the command that lets it go on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from waterflow_cli.follow._waiting import waits
from waterflow_sdk.wire import JobState, RunState, State, StepState

ASKS = "release waits for approval: Release it? (`waterflow approve r1`, or `reject`)"


def waiting(*jobs: tuple[str, str], state: State = State.WAITING, reason: str = "") -> RunState:
    """Run r1 with job instances that wait, each for its reason."""
    states = [JobState(id=name, instance=name, name=name, state=State.WAITING, reason=why) for name, why in jobs]
    return RunState(id="r1", name="gated", state=state, reason=reason, jobs=states)


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("run", "lines"),
        [
            pytest.param(waiting(state=State.RUNNING), [], id="nothing while the run works"),
            pytest.param(waiting(("release", "approval: Release it?")), [ASKS], id="approval"),
            pytest.param(
                waiting(("work", "event order shipped")),
                ["work waits for event order shipped (`waterflow event r1 'order shipped'`)"],
                id="event",
            ),
            pytest.param(
                waiting(("work", "2026-11-21T10:00:00Z")), ["work waits for 2026-11-21T10:00:00Z"], id="moment"
            ),
            pytest.param(
                waiting(state=State.PAUSED, reason="lunch"),
                ["run r1 is paused: lunch (`waterflow resume r1`)"],
                id="pause with its reason",
            ),
            pytest.param(
                waiting(state=State.PAUSED, reason="paused"),
                ["run r1 is paused (`waterflow resume r1`)"],
                id="pause without one",
            ),
            pytest.param(
                waiting(("release", "approval: Release it?"), state=State.PAUSED, reason="lunch"),
                ["run r1 is paused: lunch (`waterflow resume r1`)", ASKS],
                id="both at once",
            ),
            pytest.param(
                waiting(("release", "approval: \x1b[2JRelease\nit?")), [ASKS], id="a message cannot move the cursor"
            ),
        ],
    )
    def test_line_by_line(self, run: RunState, lines: list[str]) -> None:
        assert waits(run) == lines

    def test_several_approvals(self) -> None:
        lines = waits(waiting(("a", "approval: A?"), ("b", "approval: B?")))
        assert lines[2:] == [
            "several approvals wait: --step says which one, `waterflow status r1` their names",
        ]

    def test_several_approvals_of_a_full_state_are_named(self) -> None:
        run = waiting(("a", "approval: A?"), ("b[web-01]", "approval: B?"))
        asks = StepState(path="steps[1].then[0]", name="ask", state=State.WAITING, node="approval")
        block = StepState(path="steps[1]", name="if", state=State.RUNNING, steps=[asks])
        jobs = [msgspec.structs.replace(job, steps=[block]) for job in run.jobs]
        assert waits(msgspec.structs.replace(run, jobs=jobs)) == [
            "a waits for approval: A? (`waterflow approve r1 --step 'a/steps[1].then[0]'`, or `reject`)",
            "b[web-01] waits for approval: B? "
            "(`waterflow approve r1 --step 'b[web-01]/steps[1].then[0]'`, or `reject`)",
        ]

    def test_many_job_instances(self) -> None:
        run = waiting(*((f"work[web-{number:02}]", "event go") for number in range(8)))
        assert len(waits(run)) == 6
        assert waits(run)[5] == "and 3 more"

    def test_the_command_names_the_server_that_the_run_is_on(self) -> None:
        run = waiting(("release", "approval: Release it?"), state=State.PAUSED, reason="lunch")
        assert waits(run, " --server http://flow:80") == [
            "run r1 is paused: lunch (`waterflow resume r1 --server http://flow:80`)",
            "release waits for approval: Release it? (`waterflow approve r1 --server http://flow:80`, or `reject`)",
        ]


class TestStatus:
    def test_it_says_how_to_answer(self, waterflow: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATERFLOW_SERVER", server.url)
        server.on("GET /v1/workflows/r1", waiting(("release", "approval: Release it?"), reason="release: approval"))
        assert f"\n{ASKS}\n" in waterflow("status", "r1").out


class TestWithoutTerminal:
    def test_each_wait_is_told_once_on_stderr(
        self, waterflow: Any, server: Any, answers: Any, tools: Any, hello: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WATERFLOW_SERVER", server.url)
        answers()
        asks = waiting(("release", "approval: Release it?"))
        paused = waiting(("release", "approval: Release it?"), state=State.PAUSED, reason="lunch")
        running, ended = tools.run_state(State.RUNNING), tools.run_state(State.SUCCESS)
        server.on("GET /v1/workflows/r1", running, asks, asks, paused, asks, running, ended)
        result = waterflow("run", hello)
        assert result.code == 0
        assert result.err.splitlines()[1:] == [ASKS, "run r1 is paused: lunch (`waterflow resume r1`)"]
