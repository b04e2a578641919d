"""The command line itself: help, near names, errors, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from aiohttp import web

from waterflow_cli import ExitCode

Process = Callable[..., "subprocess.Popen[str]"]


class TestHelp:
    @pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
    def test_all_commands_are_listed(self, waterflow: Any, argv: list[str]) -> None:
        result = waterflow(*argv)
        assert result.code == 0
        names = [line.split()[0] for line in result.out.partition("Commands:")[2].splitlines() if line.strip()]
        for name in ("agent", "cancel", "dev", "list", "logs", "node", "run", "server", "status", "submit", "validate"):
            assert name in names

    def test_it_imports_neither_rich_nor_aiohttp_nor_the_language(self) -> None:
        code = (
            "import sys; from waterflow_cli import main; main(['--help']); "
            "sys.exit(repr({'rich', 'aiohttp', 'yaml', 'waterflow_dsl'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr == "set()\n"


class TestVersion:
    def test_it_is_that_of_the_installed_distribution(self, waterflow: Any) -> None:
        result = waterflow("--version")
        assert (result.code, result.out, result.err) == (0, f"waterflow {version('waterflow-cli')}\n", "")


class TestNearNames:
    def test_a_command(self, waterflow: Any) -> None:
        result = waterflow("lst")
        assert (result.code, result.err) == (
            2,
            "error: waterflow has no command 'lst'\nhint: did you mean `waterflow list`?\n",
        )

    def test_a_command_in_a_group(self, waterflow: Any) -> None:
        result = waterflow("agent", "lisst")
        assert result.err == (
            "error: waterflow agent has no command 'lisst'\nhint: did you mean `waterflow agent list`?\n"
        )

    def test_a_command_that_is_like_none(self, waterflow: Any) -> None:
        result = waterflow("xyzzy")
        assert result.err == "error: waterflow has no command 'xyzzy'\nhint: `waterflow --help` lists all\n"

    def test_an_option(self, waterflow: Any) -> None:
        result = waterflow("list", "--limt", "5")
        assert (result.code, result.err) == (2, "error: No such option '--limt'. Did you mean '--limit'?\n")

    def test_a_value(self, waterflow: Any) -> None:
        result = waterflow("list", "--state", "faild")
        assert result.code == 2
        assert "'faild' is not one of" in result.err


class TestServer:
    def test_nobody_there(self, waterflow: Any) -> None:
        result = waterflow("list", "--server", "127.0.0.1:9")
        assert (result.code, result.err) == (
            ExitCode.UNAVAILABLE,
            "error: no answer from the server at http://127.0.0.1:9: the connection was refused\n"
            "hint: check that the server runs (`waterflow server status`) and its address "
            "(--server or WATERFLOW_SERVER)\n",
        )

    def test_an_address_that_is_none(self, waterflow: Any) -> None:
        result = waterflow("--server", "ftp://x", "list")
        assert (result.code, result.err) == (
            ExitCode.USAGE,
            "error: the server address 'ftp://x' is neither http:// nor https://\n"
            "hint: write it like http://waterflow.example.com:8080\n",
        )

    def test_another_server(self, waterflow: Any, server: Any) -> None:
        server.on("GET /v1/agents", {"it": "works"})
        result = waterflow("agent", "list", "--server", server.url)
        assert (result.code, result.err.splitlines()[0]) == (
            ExitCode.UNAVAILABLE,
            "error: this is not a Waterflow server: it answers GET /v1/agents with something else "
            "(Expected `array`, got `object`)",
        )

    def test_the_address_closer_to_the_command_wins(self, waterflow: Any, server: Any) -> None:
        server.on("GET /v1/agents", [])
        assert waterflow("--server", "http://127.0.0.1:9", "agent", "list", "--server", server.url).code == 0

    def test_the_environment_names_it_too(self, waterflow: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        server.on("GET /v1/agents", [])
        monkeypatch.setenv("WATERFLOW_SERVER", server.url)
        assert waterflow("agent", "list").code == 0

    @pytest.mark.parametrize(
        ("status", "code"),
        [(401, ExitCode.DENIED), (403, ExitCode.DENIED), (409, ExitCode.CONFLICT), (500, ExitCode.UNAVAILABLE)],
    )
    def test_a_refusal(self, waterflow: Any, server: Any, status: int, code: ExitCode) -> None:
        server.on("GET /v1/agents", (status, "x", "the reason"))
        result = waterflow("agent", "list", "--server", server.url)
        assert result.code == code
        assert result.err.startswith("error: the reason\n")

    @pytest.mark.parametrize(
        ("status", "said", "hint"),
        [
            (
                500,
                "the reason (request id 5f0c)",
                "the server's log says more under the id of the request; please report it",
            ),
            (
                503,
                "the server cannot answer now: the reason (503 to GET /v1/agents) (request id 5f0c)",
                "check that the server runs (`waterflow server status`) and its address (--server or WATERFLOW_SERVER)",
            ),
        ],
    )
    def test_a_failure_of_the_server_names_the_request(
        self, waterflow: Any, server: Any, monkeypatch: pytest.MonkeyPatch, status: int, said: str, hint: str
    ) -> None:
        monkeypatch.setattr("waterflow_sdk.client._transport.pauses", lambda: iter([0.001] * 9))

        async def fail(_: web.Request) -> web.Response:
            body = {"type": "about:blank", "title": "x", "status": status, "code": "x", "detail": "the reason"}
            return web.json_response(body, status=status, headers={"X-Request-Id": "5f0c"})

        server.on("GET /v1/agents", fail)
        result = waterflow("agent", "list", "--server", server.url)
        assert (result.code, result.err) == (ExitCode.UNAVAILABLE, f"error: {said}\nhint: {hint}\n")

    def test_field_errors_are_told_one_by_one(self, waterflow: Any, server: Any, hello: str) -> None:
        errors = [{"path": "inputs.count", "message": "is not a number"}]
        server.on("POST /v1/workflows", (422, "invalid-inputs", "an input is wrong", errors))
        result = waterflow("submit", hello, "--server", server.url)
        assert (result.code, result.err) == (2, "error: an input is wrong\n  inputs.count: is not a number\n")


class TestProcess:
    def test_the_exit_code_is_that_of_the_process(self, process: Process) -> None:
        done = process("lst")
        _, err = done.communicate(timeout=180)
        assert (done.returncode, err.splitlines()[0]) == (2, "error: waterflow has no command 'lst'")

    def test_a_reader_that_has_gone_is_no_traceback(self, process: Process) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        running = process("--help", stdout=writer)
        os.close(writer)
        _, err = running.communicate(timeout=180)
        assert (running.returncode, err) == (ExitCode.PIPE, "")

    def test_a_defect_is_one_line_without_debug(self, process: Process, distribution: Any) -> None:
        distribution("oops", "oops", "def main(argv):\n    return 1 / 0\n")
        done = process("oops")
        _, err = done.communicate(timeout=180)
        assert (done.returncode, err) == (
            ExitCode.DEFECT,
            "error: this is a defect in waterflow: ZeroDivisionError: division by zero\n"
            "hint: WATERFLOW_DEBUG=1 shows where; please report it\n",
        )

    def test_with_debug_it_shows_where(self, process: Process, distribution: Any) -> None:
        distribution("oops", "oops", "def main(argv):\n    return 1 / 0\n")
        done = process("oops", env={"WATERFLOW_DEBUG": "1"})
        _, err = done.communicate(timeout=180)
        assert done.returncode == 1
        assert "in main\n    return 1 / 0" in err
