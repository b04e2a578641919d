"""``waterflow run --local``, with a stand-in for ``waterflow dev`` that keeps its promises: nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from waterflow_cli import ExitCode
from waterflow_cli._language import check_source, groups, step_counts
from waterflow_cli._source import Source
from waterflow_sdk.wire import State

Process = Callable[..., "subprocess.Popen[str]"]

DEV = """
import json, os, signal, sys

def say(**event):
    try:
        os.write(1, json.dumps(event).encode() + b"\\n")
    except BrokenPipeError:
        pass  # the owner has gone, which the end of stdin says too

def main(argv):
    notes = os.environ["NOTES"]
    how = os.environ.get("HOW", "")
    if how == "lost":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with open(notes, "a") as file:
        file.write(json.dumps({"pid": os.getpid(), "argv": argv}) + "\\n")
    say(event="progress", message="Temporal answers")
    if how == "error":
        say(event="error", code="no-temporal", message="no Temporal was found")
        return 1
    if how == "crash":
        sys.exit("Killed by a bug")
    if how != "slow":
        say(event="ready", server=os.environ["SERVER"], temporal="127.0.0.1:7233", ui="")
    if how == "lost":
        signal.sigwait({signal.SIGTERM})
        say(event="error", code="temporal-lost", message="Temporal ended with exit code 9")
        return 1
    sys.stdin.read()
    with open(notes, "a") as file:
        file.write("stopped\\n")
    return 0
"""


@pytest.fixture
def notes(tmp_path: Path, distribution: Any) -> Path:
    """What the stand-in writes down: its pid and arguments, and that it was stopped."""
    distribution("standin", "dev", DEV)
    return tmp_path / "notes"


@pytest.fixture
def local(process: Process, notes: Path, server: Any, hello: str) -> Process:
    def start(*argv: str, how: str = "") -> subprocess.Popen[str]:
        return process("run", hello, "--local", *argv, env={"NOTES": str(notes), "SERVER": server.url, "HOW": how})

    return start


def pid_of(notes: Path) -> int:
    return json.loads(notes.read_text().splitlines()[0])["pid"]


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 180
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < deadline, f"{text!r} does not come"
        time.sleep(0.02)


class TestRun:
    def test_it_starts_follows_and_stops(self, local: Process, notes: Path, answers: Any) -> None:
        answers()
        running = local("--agents", "3", "--group", "servers", "--group", "local")
        out, err = running.communicate(timeout=180)
        assert running.returncode == 0
        assert out.startswith("[greet web-01 Say hello] ▶ Say hello\n")
        assert out.endswith("run r1 (hello) ended: success after 12s\n")
        assert err == "Temporal answers\n"
        started, stopped = notes.read_text().splitlines()
        groups = '"--group", "local", "--group", "default", "--group", "servers"'
        assert f'["--ephemeral", "--agents", "3", {groups}, "--format", "json", "--stop-on-eof"]' in started
        assert stopped == "stopped"

    def test_the_exit_code_is_the_result(self, local: Process, notes: Path, answers: Any) -> None:
        answers(State.FAILED)
        assert local().wait(timeout=180) == ExitCode.FAILED
        assert notes.read_text().endswith("stopped\n")

    def test_data_can_be_kept(self, local: Process, notes: Path, answers: Any, tmp_path: Path) -> None:
        answers()
        assert local("--data-dir", str(tmp_path / "data")).wait(timeout=180) == 0
        assert f'["--data-dir", "{tmp_path / "data"}", "--agents", "1"' in notes.read_text()

    def test_a_submit_that_is_refused_stops_it_too(self, local: Process, notes: Path, server: Any) -> None:
        server.on("POST /v1/workflows", (422, "invalid-inputs", "an input is missing"))
        running = local()
        _, err = running.communicate(timeout=180)
        assert (running.returncode, err) == (2, "Temporal answers\nerror: an input is missing\n")
        assert notes.read_text().endswith("stopped\n")


class TestStartThatFails:
    @pytest.mark.parametrize(("how", "why"), [("error", "no Temporal was found"), ("crash", "Killed by a bug")])
    def test_the_reason_is_told(self, local: Process, how: str, why: str) -> None:
        running = local(how=how)
        _, err = running.communicate(timeout=180)
        assert (running.returncode, err) == (
            ExitCode.UNAVAILABLE,
            f"Temporal answers\nerror: the embedded stack did not start: {why}\n",
        )


class TestTimeout:
    def test_the_run_is_cancelled_before_the_stack_stops(
        self, local: Process, notes: Path, server: Any, answers: Any, tools: Any
    ) -> None:
        answers()
        server.on("GET /v1/workflows/r1", tools.run_state(State.RUNNING))
        server.on("GET /v1/workflows/r1/logs", tools.sse(tools.log_lines()[:2], b""))
        server.on("POST /v1/workflows/r1/cancel", (409, "run-closed", "it has ended"))
        running = local("--timeout", "0.3")
        _, err = running.communicate(timeout=180)
        assert running.returncode == ExitCode.TIMED_OUT
        assert err.endswith(
            "error: run r1 did not end within 0.3 seconds\n"
            "hint: it was cancelled; a longer --timeout gives it more time\n"
        )
        assert "POST /v1/workflows/r1/cancel" in [route for route, _, _ in server.requests]
        assert notes.read_text().endswith("stopped\n")


class TestStackThatEnds:
    def test_it_is_an_error_and_no_endless_wait(
        self, waterflow: Any, notes: Path, server: Any, answers: Any, tools: Any, hello: str, monkeypatch: Any
    ) -> None:
        answers()
        server.on("GET /v1/workflows/r1", tools.run_state(State.RUNNING))
        server.on("GET /v1/workflows/r1/logs", tools.sse([], b": nothing yet\n\n"))
        for name, value in {"NOTES": str(notes), "SERVER": server.url, "HOW": "lost"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(notes.parent / "site"))
        submitted = "POST /v1/workflows"

        async def end_the_stack(_: web.Request) -> web.StreamResponse:
            os.kill(pid_of(notes), signal.SIGTERM)
            return web.Response(body=b'{"id":"r1","url":""}', content_type="application/json")

        server.on(submitted, end_the_stack)
        result = waterflow("run", hello, "--local")
        assert (result.code, result.err) == (
            ExitCode.UNAVAILABLE,
            "Temporal answers\n"
            "error: the embedded stack ended while the run went on: Temporal ended with exit code 9\n",
        )


class TestInterrupted:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)]
    )
    def test_while_it_starts(self, local: Process, notes: Path, number: int, code: ExitCode) -> None:
        running = local(how="slow")
        wait_for(notes, "pid")
        running.send_signal(number)
        assert running.wait(timeout=180) == code
        assert notes.read_text().endswith("stopped\n")

    def test_while_it_runs_the_run_is_cancelled_first(
        self, local: Process, notes: Path, server: Any, answers: Any, tools: Any
    ) -> None:
        answers()
        server.on("GET /v1/workflows/r1", tools.run_state(State.RUNNING))
        server.on("GET /v1/workflows/r1/logs", tools.sse(tools.log_lines()[:2], b""))
        server.on("POST /v1/workflows/r1/cancel", (409, "run-closed", "it has ended"))
        running = local()
        assert running.stdout is not None
        assert running.stdout.readline().endswith("▶ Say hello\n")
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=180)
        assert running.returncode == ExitCode.INTERRUPTED
        assert "interrupted: the run is being cancelled (Ctrl-C again stops at once)\n" in err
        assert "POST /v1/workflows/r1/cancel" in [route for route, _, _ in server.requests]
        assert notes.read_text().endswith("stopped\n")

    def test_even_kill_leaves_nothing(self, local: Process, notes: Path) -> None:
        running = local(how="slow")
        wait_for(notes, "pid")
        running.send_signal(signal.SIGKILL)
        assert running.wait(timeout=180) == -signal.SIGKILL
        wait_for(notes, "stopped")


class TestOptions:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (
                ["--local", "--detach"],
                "--detach and --local exclude each other: what --local starts ends with the command",
            ),
            (
                ["--local", "--server", "http://x"],
                "--server and --local exclude each other: --local starts a server of its own",
            ),
            (["--agents", "2"], "--agents is for --local only"),
            (["--group", "web"], "--group is for --local only"),
        ],
    )
    def test_what_does_not_fit_together(self, waterflow: Any, hello: str, argv: list[str], message: str) -> None:
        result = waterflow("run", hello, *argv)
        assert (result.code, result.err) == (2, f"error: {message}\n")

    def test_without_the_server_package_it_says_what_to_install(
        self, waterflow: Any, hello: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_cli._plugins.entry_points", lambda **_: ())
        result = waterflow("run", hello, "--local")
        assert (result.code, result.err) == (
            2,
            "error: `waterflow dev` comes with waterflow-server, which is not installed\n"
            "hint: pip install waterflow-server\n",
        )


class TestGroups:
    def test_every_group_that_the_file_names(self) -> None:
        text = (
            "jobs:\n  a: {runs-on: web, steps: [{run: x}]}\n  b: {steps: [{run: x}, {run: y}]}\n"
            "  c: {runs-on: {group: [db, web], target: all}, steps: [{run: x}]}\n"
            "  d: {runs-on: all-servers, steps: [{run: x}]}\n"
        )
        plan = check_source(Source("flow.yaml", text)).plan
        assert plan is not None
        assert groups([plan]) == ["local", "web", "default", "db"]
        assert step_counts(plan, {}) == {"a": 1, "b": 2, "c": 1, "d": 1}
