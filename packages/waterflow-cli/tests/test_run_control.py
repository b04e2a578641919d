"""pause, resume, approve, reject, event: what they send, what they say, and how each refusal is told."""

from __future__ import annotations

import getpass
import json
from typing import Any

import msgspec
import pytest

from waterflow_cli import ExitCode
from waterflow_sdk.wire import (
    ApprovalRequest,
    EventRequest,
    PauseRequest,
    RetryRequest,
    RunPage,
    RunState,
    RunSummary,
    State,
    SubmitResponse,
)

RUN = "POST /v1/workflows/r1"


@pytest.fixture(autouse=True)
def told(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that takes whatever run r1 is told."""
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)
    monkeypatch.setenv("LOGNAME", "ann")
    for what in ("pause", "resume", "approve", "reject", "events"):
        server.on(f"{RUN}/{what}", None)
    server.on("GET /v1/workflows/r1", RunState(id="r1", name="gated", state=State.WAITING))
    return server


class TestPause:
    def test_it_says_how_the_run_goes_on(self, waterflow: Any, told: Any) -> None:
        result = waterflow("pause", "r1", "--reason", "change freeze")
        assert (result.code, result.err) == (0, "")
        assert result.out == "run r1 is paused; `waterflow resume r1` lets it go on\n"
        assert told.body(f"{RUN}/pause", PauseRequest) == PauseRequest(reason="change freeze")


class TestResume:
    def test_the_run_goes_on(self, waterflow: Any, told: Any) -> None:
        result = waterflow("resume", "r1")
        assert (result.code, result.out, result.err) == (0, "run r1 goes on\n", "")
        assert [route for route, _, _ in told.requests] == [f"{RUN}/resume"]


@pytest.mark.parametrize(("command", "said"), [("approve", "approved"), ("reject", "rejected")])
class TestAnswer:
    def test_it_is_given_in_the_login_name(self, waterflow: Any, told: Any, command: str, said: str) -> None:
        result = waterflow(command, "r1")
        assert (result.code, result.out, result.err) == (0, f"run r1: {said} by ann\n", "")
        assert told.body(f"{RUN}/{command}", ApprovalRequest) == ApprovalRequest(by="ann")

    def test_with_all_that_it_takes(self, waterflow: Any, told: Any, command: str, said: str) -> None:
        options = ["--by", "boss", "--comment", "checked", "--input", "ticket=T-1", "--input", "n:=3"]
        result = waterflow(command, "r1", *options, "--step", "release[web-01]/steps[0]")
        assert (result.code, result.out) == (0, f"run r1: {said} by boss\n")
        assert told.body(f"{RUN}/{command}", ApprovalRequest) == ApprovalRequest(
            by="boss", comment="checked", inputs={"ticket": "T-1", "n": 3}, step="release[web-01]/steps[0]"
        )

    def test_a_user_without_a_name(
        self, waterflow: Any, told: Any, monkeypatch: pytest.MonkeyPatch, command: str, said: str
    ) -> None:
        monkeypatch.setattr(getpass, "getuser", _nobody)
        assert waterflow(command, "r1").out == f"run r1: {said}\n"
        assert told.body(f"{RUN}/{command}", ApprovalRequest) == ApprovalRequest()

    def test_an_input_that_is_none(self, waterflow: Any, told: Any, command: str, said: str) -> None:
        result = waterflow(command, "r1", "--input", said)
        assert (result.code, result.err) == (2, f"error: --input '{said}' is not of the form NAME=VALUE\n")
        assert told.requests == []


class TestEvent:
    def test_without_a_payload(self, waterflow: Any, told: Any) -> None:
        result = waterflow("event", "r1", "shipped")
        assert (result.code, result.out, result.err) == (0, "run r1 has got the event shipped\n", "")
        assert told.body(f"{RUN}/events", EventRequest) == EventRequest(name="shipped")

    @pytest.mark.parametrize("payload", ['{"number": 7}', '"text"', "[1, null]", "false"])
    def test_the_payload_is_any_json(self, waterflow: Any, told: Any, payload: str) -> None:
        assert waterflow("event", "r1", "shipped", "--payload", payload).code == 0
        assert told.body(f"{RUN}/events", EventRequest).payload == json.loads(payload)

    def test_a_payload_that_is_not_json(self, waterflow: Any, told: Any) -> None:
        result = waterflow("event", "r1", "shipped", "--payload", "seven")
        assert (result.code, result.err) == (
            ExitCode.USAGE,
            "error: --payload is not JSON: JSON is malformed: invalid character (byte 0)\n"
            "hint: write text as '\"text\"'\n",
        )
        assert told.requests == []


class TestRetry:
    """A new run, followed as `waterflow run` does; the answers are those for run r2."""

    @pytest.fixture(autouse=True)
    def again(self, told: Any, tools: Any) -> None:
        told.on(f"{RUN}/retry", SubmitResponse(id="r2", url="/v1/workflows/r2"))
        _ends(told, tools, State.SUCCESS)

    def test_the_new_run_is_followed_to_its_end(self, waterflow: Any, told: Any) -> None:
        result = waterflow("retry", "r1")
        assert (result.code, result.err) == (ExitCode.OK, "run r2  /v1/workflows/r2\n")
        assert result.out.startswith("[greet web-01 Say hello] ▶ Say hello\n")
        assert result.out.endswith("\nrun r2 (hello) ended: success after 12s\n/v1/workflows/r2\n")
        assert told.body(f"{RUN}/retry", RetryRequest) == RetryRequest()

    @pytest.mark.parametrize(("state", "code"), [(State.FAILED, 1), (State.CANCELLED, 5), (State.TIMED_OUT, 6)])
    def test_the_exit_code_is_the_result(self, waterflow: Any, told: Any, tools: Any, state: State, code: int) -> None:
        _ends(told, tools, state)
        assert waterflow("retry", "r1").code == code

    @pytest.mark.parametrize(
        ("options", "asked"),
        [
            (["--failed-jobs"], RetryRequest(scope="failed-jobs")),
            (["--job", "build"], RetryRequest(scope="job", job="build")),
            (["--all"], RetryRequest(scope="all")),
            (["--hosts"], RetryRequest(scope="failed-hosts")),
            (["--from-step", "build.test"], RetryRequest(scope="step", step="build.test")),
        ],
        ids=["failed jobs", "one job", "all", "hosts", "from a step"],
    )
    def test_what_runs_again(self, waterflow: Any, told: Any, options: list[str], asked: RetryRequest) -> None:
        assert waterflow("retry", "r1", *options).code == ExitCode.OK
        assert told.body(f"{RUN}/retry", RetryRequest) == asked

    def test_detach(self, waterflow: Any, told: Any) -> None:
        result = waterflow("retry", "r1", "--detach")
        assert (result.code, result.out, result.err) == (ExitCode.OK, "r2\n", "")
        assert [route for route, _, _ in told.requests] == [f"{RUN}/retry"]

    def test_two_scopes(self, waterflow: Any, told: Any) -> None:
        result = waterflow("retry", "r1", "--all", "--job", "build")
        assert (result.code, result.err) == (
            ExitCode.USAGE,
            "error: --job and --all exclude each other: each says what runs again\n",
        )
        assert told.requests == []

    @pytest.mark.parametrize(
        ("code", "detail", "hint"),
        [
            (
                "run-not-ended",
                "run r1 has not ended",
                "hint: wait for its end (`waterflow logs -f RUN`), or cancel it (`waterflow cancel RUN`)\n",
            ),
            ("nothing-to-retry", "nothing of run r1 failed", ""),
        ],
    )
    def test_refused(self, waterflow: Any, told: Any, code: str, detail: str, hint: str) -> None:
        told.on(f"{RUN}/retry", (409, code, detail))
        result = waterflow("retry", "r1")
        assert (result.code, result.out, result.err) == (ExitCode.CONFLICT, "", f"error: {detail}\n{hint}")


EVERY = [
    (["pause", "r1"], "pause"),
    (["resume", "r1"], "resume"),
    (["approve", "r1"], "approve"),
    (["reject", "r1"], "reject"),
    (["event", "r1", "shipped"], "events"),
    (["retry", "r1"], "retry"),
]


class TestRefusal:
    @pytest.mark.parametrize(("argv", "route"), EVERY)
    def test_a_run_that_has_ended(self, waterflow: Any, told: Any, argv: list[str], route: str) -> None:
        told.on(f"{RUN}/{route}", (409, "run-closed", "run r1 has ended"))
        result = waterflow(*argv)
        assert (result.code, result.out, result.err) == (ExitCode.CONFLICT, "", "error: run r1 has ended\n")

    @pytest.mark.parametrize(("argv", "route"), EVERY)
    def test_an_unknown_run_gets_the_nearest_one(self, waterflow: Any, told: Any, argv: list[str], route: str) -> None:
        told.on("GET /v1/workflows", RunPage(items=[RunSummary(id="r12", name="hello", state=State.RUNNING)]))
        told.on(f"{RUN}/{route}", (404, "run-not-found", "there is no run r1"))
        result = waterflow(*argv)
        assert (result.code, result.err) == (
            ExitCode.NOT_FOUND,
            "error: there is no run r1\nhint: did you mean r12?\n",
        )

    @pytest.mark.parametrize("command", ["approve", "reject"])
    def test_several_approvals_wait(self, waterflow: Any, told: Any, command: str) -> None:
        detail = "2 approvals wait in run r1: say which one of a/steps[0], b/steps[0]"
        told.on(f"{RUN}/{command}", (409, "nothing-waits", detail))
        result = waterflow(command, "r1")
        assert (result.code, result.err) == (
            ExitCode.CONFLICT,
            f"error: {detail}\n"
            "hint: `waterflow status RUN` shows what waits; where several do, --step says which one is meant\n",
        )

    @pytest.mark.parametrize("command", ["approve", "reject"])
    def test_somebody_who_may_not(self, waterflow: Any, told: Any, command: str) -> None:
        detail = "ann may not answer this approval; ops, boss may"
        told.on(f"{RUN}/{command}", (409, "answer-refused", detail))
        result = waterflow(command, "r1")
        assert (result.code, result.err) == (ExitCode.CONFLICT, f"error: {detail}\n")

    @pytest.mark.parametrize(("argv", "route"), EVERY)
    def test_no_server(self, waterflow: Any, argv: list[str], route: str) -> None:
        del route
        result = waterflow(*argv, "--server", "127.0.0.1:9")
        assert result.code == ExitCode.UNAVAILABLE
        assert result.err.startswith("error: no answer from the server at http://127.0.0.1:9: ")


def _ends(server: Any, tools: Any, state: State) -> None:
    ended = msgspec.structs.replace(tools.run_state(state), id="r2")
    server.on("GET /v1/workflows/r2", ended)
    server.on("GET /v1/workflows/r2/logs", tools.sse(tools.log_lines()))


def _nobody() -> str:
    raise KeyError("getpwuid(): uid not found: 4711")
