"""``waterflow run`` on a server: what is shown, and the exit code of each result."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_cli import ExitCode
from waterflow_sdk.wire import CancelRequest, ErrorInfo, State

Process = Callable[..., "subprocess.Popen[str]"]

SHOWN = (
    "[greet web-01 Say hello] ▶ Say hello\n"
    "[greet web-01 Say hello] hello\n"
    "[greet web-01 Say hello] ✓ Say hello: success\n"
)


class TestWithoutTerminal:
    def test_lines_with_their_place_then_the_summary(
        self, waterflow: Any, server: Any, answers: Any, hello: str
    ) -> None:
        answers(outputs={"url": "http://shop", "table": "a  b\n1  2\n", "n": 3})
        result = waterflow("run", hello, "--server", server.url)
        assert result.code == ExitCode.OK
        assert result.out == SHOWN + (
            "\n"
            "JOB    HOST    STATE      DURATION  ERROR\n"
            "greet  web-01  ✓ success  12s\n"
            "\n"
            "outputs:\n"
            "  url: http://shop\n"
            "  table:\n"
            "    a  b\n"
            "    1  2\n"
            "  n: 3\n"
            "\n"
            "run r1 (hello) ended: success after 12s\n"
            "http://flow.example.com/runs/r1\n"
        )
        assert result.err == "run r1  http://flow.example.com/runs/r1\n"

    def test_outputs_of_jobs_stand_in_for_those_of_the_run(
        self, waterflow: Any, server: Any, answers: Any, hello: str
    ) -> None:
        answers(job_outputs={"table": "x\ny"})
        result = waterflow("run", hello, "--server", server.url)
        assert "\noutputs of greet:\n  table:\n    x\n    y\n\n" in result.out

    def test_a_failure_is_told_in_words(self, waterflow: Any, server: Any, answers: Any, hello: str) -> None:
        error = ErrorInfo(code="exit-code", message="the command ended\nwith exit code 3")
        answers(State.FAILED, job_error=error, error=ErrorInfo(code="job-failed", message="job greet failed"))
        result = waterflow("run", hello, "--server", server.url)
        assert result.code == ExitCode.FAILED
        assert "greet  web-01  ✗ failed  12s       the command ended with exit code 3\n" in result.out
        assert "\nrun r1 (hello) ended: failed after 12s: job greet failed\n" in result.out

    @pytest.mark.parametrize(
        ("state", "code"),
        [
            (State.SUCCESS, 0),
            (State.SKIPPED, 0),
            (State.FAILED, 1),
            (State.CANCELLED, 5),
            (State.TIMED_OUT, 6),
        ],
    )
    def test_the_exit_code_is_the_result(
        self, waterflow: Any, server: Any, answers: Any, hello: str, state: State, code: int
    ) -> None:
        answers(state)
        assert waterflow("run", hello, "--server", server.url).code == code

    def test_detach(self, waterflow: Any, server: Any, answers: Any, hello: str) -> None:
        answers()
        result = waterflow("run", hello, "--detach", "--server", server.url)
        assert (result.code, result.out, result.err) == (0, "r1\n", "")
        assert [route for route, _, _ in server.requests] == ["POST /v1/workflows"]

    def test_standard_input(self, process: Process, server: Any, answers: Any) -> None:
        answers()
        running = process("run", "-", "--server", server.url)
        out, _ = running.communicate("jobs: {greet: {steps: [{run: echo hello}]}}", timeout=180)
        assert running.returncode == 0
        assert out.startswith(SHOWN)

    def test_timeout_leaves_the_run_alone(
        self, waterflow: Any, server: Any, answers: Any, tools: Any, hello: str
    ) -> None:
        answers()
        server.on("GET /v1/workflows/r1", tools.run_state(State.RUNNING))
        server.on("GET /v1/workflows/r1/logs", _silent)
        result = waterflow("run", hello, "--timeout", "0.5", "--server", server.url)
        assert result.code == ExitCode.TIMED_OUT
        assert result.err.endswith(
            "error: run r1 did not end within 0.5 seconds\n"
            "hint: it goes on: `waterflow logs -f r1` follows it, `waterflow cancel r1` ends it\n"
        )

    def test_control_sequences_of_the_output_do_nothing(
        self, waterflow: Any, server: Any, answers: Any, tools: Any, hello: str
    ) -> None:
        answers()
        evil = msgspec.structs.replace(tools.log_lines()[1], text="\x1b]0;title\x07\x1b[2J10%\r\x1b[31m100%\x1b[0m\b")
        server.on("GET /v1/workflows/r1/logs", tools.sse([tools.log_lines()[0], evil]))
        assert "[greet web-01 Say hello] 100%\n" in waterflow("run", hello, "--server", server.url).out


class TestAnotherWebServer:
    @pytest.mark.parametrize("status", [404, 501])
    def test_it_is_told_that_the_address_is_wrong(self, waterflow: Any, server: Any, hello: str, status: int) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text="<html>no</html>", content_type="text/html")

        server.on("POST /v1/workflows", answer)
        result = waterflow("run", hello, "--server", server.url)
        assert (result.code, result.err) == (
            ExitCode.UNAVAILABLE,
            "error: this is not a Waterflow server: it answered "
            f"{status} without a problem document to POST /v1/workflows\n"
            "hint: check the server's address (--server or WATERFLOW_SERVER), its port and the path in front of /v1\n",
        )


class TestDiagnosticsOfTheServer:
    def test_they_look_like_those_found_here(self, waterflow: Any, server: Any, hello: str) -> None:
        found = {
            "code": "WF1401",
            "severity": "error",
            "message": "there is no node 'shel'",
            "file": hello,
            "line": 5,
            "column": 9,
            "end_line": 5,
            "end_column": 11,
            "hint": "did you mean `shell`?",
        }
        server.on("POST /v1/workflows", (422, "invalid-workflow", "1 error", [found]))
        result = waterflow("run", hello, "--server", server.url)
        assert result.code == 2
        assert result.err.startswith(f"{hello}:5:9: error WF1401: there is no node 'shel'\n")
        assert result.err.endswith(f"error: {hello} has 1 error; nothing was started\n")


class TestServerThatGoesAway:
    def test_it_is_told_once_and_the_run_is_followed_to_its_end(
        self, waterflow: Any, server: Any, answers: Any, tools: Any, hello: str
    ) -> None:
        answers()
        away = (503, "unavailable", "starting")
        running, ended = tools.run_state(State.RUNNING), tools.run_state(State.SUCCESS)
        server.on("GET /v1/workflows/r1", running, *[away] * 5, ended)
        cut = tools.sse(tools.log_lines()[:1], b"")
        server.on("GET /v1/workflows/r1/logs", cut, away, tools.sse(tools.log_lines()))
        result = waterflow("run", hello, "--server", server.url)
        assert result.code == 0
        assert result.out.startswith(SHOWN)
        told = "the server cannot answer now: starting (503 to GET /v1/workflows/r1); trying again (the run goes on)\n"
        assert result.err.count(told) == 1
        assert result.err.endswith("the server answers again\n")


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)]
    )
    def test_without_a_terminal_it_detaches(
        self, process: Process, server: Any, answers: Any, tools: Any, hello: str, number: int, code: ExitCode
    ) -> None:
        answers()
        server.on("GET /v1/workflows/r1", tools.run_state(State.RUNNING))
        server.on("GET /v1/workflows/r1/logs", tools.sse(tools.log_lines()[:2], b": stay\n\n"))
        running = process("run", hello, "--server", server.url)
        assert running.stdout is not None
        assert running.stdout.readline() == "[greet web-01 Say hello] ▶ Say hello\n"
        running.send_signal(number)
        _, err = running.communicate(timeout=180)
        assert running.returncode == code
        assert err.endswith("run r1 goes on; `waterflow logs -f r1` follows it\n")
        assert "POST /v1/workflows/r1/cancel" not in [route for route, _, _ in server.requests]


class TestOnATerminal:
    def test_rows_for_each_host_and_the_question_at_ctrl_c(
        self, server: Any, answers: Any, tools: Any, hello: str
    ) -> None:
        answers()
        cancelled = asyncio.Event()

        async def cancel(_: web.Request) -> web.StreamResponse:
            cancelled.set()
            return web.Response(status=202)

        async def state(_: web.Request) -> web.StreamResponse:
            now = tools.run_state(State.CANCELLED if cancelled.is_set() else State.RUNNING)
            return web.Response(body=msgspec.json.encode(now), content_type="application/json")

        async def log(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            for line in tools.log_lines()[:2]:
                data = msgspec.json.encode(line)
                await response.write(b"event: log\nid: %b\ndata: %b\n\n" % (line.cursor.encode(), data))
            await cancelled.wait()
            await response.write(b'event: end\ndata: {"state":"cancelled"}\n\n')
            return response

        server.on("GET /v1/workflows/r1", state)
        server.on("GET /v1/workflows/r1/logs", log)
        server.on("POST /v1/workflows/r1/cancel", cancel)
        terminal = Terminal("run", hello, "--server", server.url)
        with terminal:
            terminal.read_until("Say hello")
            terminal.read_until("0/1 done")
            terminal.write("\x03")
            terminal.read_until("[d]etach (it goes on), [c]ancel it, or [f]ollow on?")
            terminal.write("c\n")
            terminal.read_until("run r1 (hello) ended")
            assert terminal.wait() == ExitCode.CANCELLED
        sent = server.body("POST /v1/workflows/r1/cancel", CancelRequest)
        assert sent == CancelRequest(reason="cancelled by Ctrl-C")

    def test_a_run_that_waits_says_for_what_and_how_to_answer(
        self, server: Any, answers: Any, tools: Any, hello: str
    ) -> None:
        answers()
        ended = asyncio.Event()
        shown = tools.run_state(State.WAITING, job_reason="approval: Release it?")

        async def state(_: web.Request) -> web.StreamResponse:
            now = tools.run_state(State.SUCCESS) if ended.is_set() else shown
            return web.Response(body=msgspec.json.encode(now), content_type="application/json")

        async def approve(_: web.Request) -> web.StreamResponse:
            ended.set()
            return web.Response(status=202)

        server.on("GET /v1/workflows/r1", state)
        server.on("POST /v1/workflows/r1/approve", approve)
        with Terminal("run", hello, "--server", server.url) as terminal:
            terminal.read_until(f"greet waits for approval: Release it? (`waterflow approve r1 --server {server.url}`")
            with Terminal("approve", "r1", "--by", "ann", "--server", server.url) as other:
                other.read_until("run r1: approved by ann")
                assert other.wait() == ExitCode.OK
            terminal.read_until("run r1 (hello) ended: success")
            assert terminal.wait() == ExitCode.OK


class Terminal:
    """``waterflow ARGS`` on a pseudo-terminal of its own."""

    def __init__(self, *argv: str) -> None:
        self._argv = argv
        self._seen = ""

    def __enter__(self) -> Terminal:
        import os
        import pty
        import sys

        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="160", LINES="30")
            os.execv(sys.executable, [sys.executable, "-m", "waterflow_cli", *self._argv])
        return self

    def read_until(self, text: str) -> None:
        import os
        import re

        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._seen):
            self._seen += os.read(self._fd, 65536).decode(errors="replace")
        self._seen = ""

    def write(self, text: str) -> None:
        import os

        os.write(self._fd, text.encode())

    def wait(self) -> int:
        import os

        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def __exit__(self, *_: object) -> None:
        import os

        os.close(self._fd)
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


async def _silent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await asyncio.sleep(30)
    return response
