"""`waterflow dev` as a process: what it prints, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from waterflow_server.dev._command import main

from .conftest import ended_within, is_running, processes_with

COMMAND = str(Path(__file__).with_name("dev_command.py"))
NINES = "9" * 5000  # Python refuses to make a number of that many digits
Start = Callable[..., Awaitable["Dev"]]


class Dev:
    """A running `waterflow dev`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self.process = process
        self.stdout = process.stdout
        self.stdin = process.stdin

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name."""
        async for line in self.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"ended without the event {name}")

    async def end(self) -> tuple[int, str]:
        """Exit code and what was still printed."""
        rest, _ = await asyncio.wait_for(self.process.communicate(), 180)
        assert self.process.returncode is not None
        return self.process.returncode, rest.decode()


@pytest.fixture
def start(temporal_binary: Path, tmp_path: Path) -> Start:
    environ = {
        **os.environ,
        "STAND_IN_JOURNAL": str(tmp_path / "journal"),
        "WATERFLOW_TEMPORAL_BINARY": str(temporal_binary),
        "WATERFLOW_DATA_DIR": str(tmp_path / "data"),
    }

    async def run(*options: str) -> Dev:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, COMMAND, *options, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=environ
        )
        return Dev(process)

    return run


class TestJson:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_a_signal_after_ready_stops_everything(self, start: Start, number: signal.Signals) -> None:
        dev = await start("--agents", "1", "--no-ui", "--format", "json")
        ready = await dev.event("ready")
        assert sorted(ready) == ["data_dir", "event", "pids", "server", "temporal", "ui"]
        assert sorted(ready["pids"]) == ["local-1", "server", "temporal"]
        assert ready["ui"] is None
        dev.process.send_signal(number)
        assert await dev.end() == (0, "")
        assert not [pid for pid in ready["pids"].values() if is_running(pid)]

    async def test_a_signal_while_it_starts_stops_it(self, start: Start, tmp_path: Path) -> None:
        dev = await start("--no-ui", "--format", "json")
        progress = await dev.event("progress")
        assert progress["message"].startswith("Temporal answers at 127.0.0.1:")
        dev.process.send_signal(signal.SIGINT)
        code, _ = await dev.end()
        assert code == 0
        assert processes_with(str(tmp_path)) == []

    async def test_an_error_has_its_code(self, start: Start) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            dev = await start("--temporal-port", str(port), "--format", "json")
            event = await dev.event("error")
        assert event == {
            "event": "error",
            "code": "port-in-use",
            "message": f"Port {port} for Temporal is in use on 127.0.0.1. Stop the program that listens there, "
            "or choose another port with --temporal-port.",
        }
        assert await dev.end() == (1, "")


class TestText:
    async def test_prints_the_addresses(self, start: Start, tmp_path: Path) -> None:
        dev = await start("--agents", "1", "--stop-on-eof")
        lines: list[str] = []
        async for line in dev.stdout:
            lines.append(line.decode().rstrip())
            if lines[-1] == "Ctrl-C stops.":
                break
        server = lines[1].removeprefix("The server is ready at ")
        assert lines[2] == "Agents online in the group local: 1"
        assert lines[4:6] == ["Waterflow is ready.", f"  Server    {server}"]
        assert lines[8:] == [
            f"  Data      {tmp_path}/data",
            f"Try: waterflow run FILE --server {server}",
            "Ctrl-C stops.",
        ]
        dev.stdin.close()
        assert await dev.end() == (0, "")

    async def test_an_error_is_one_message(self, start: Start, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file")
        dev = await start()
        assert await dev.end() == (
            1,
            f"waterflow dev: The data directory {tmp_path}/data cannot be used: File exists. "
            "Choose another with --data-dir.\n",
        )


class TestOwner:
    async def test_end_of_stdin_stops_when_asked_for(self, start: Start) -> None:
        dev = await start("--agents", "1", "--no-ui", "--stop-on-eof", "--format", "json")
        await dev.event("ready")
        dev.stdin.close()
        assert await dev.end() == (0, "")

    async def test_killed_takes_everything_along(self, start: Start) -> None:
        dev = await start("--agents", "1", "--no-ui", "--format", "json")
        pids = (await dev.event("ready"))["pids"]
        dev.process.kill()
        await dev.end()
        assert [name for name, pid in pids.items() if not ended_within(pid, 60)] == []


class TestOptions:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["--port", "0"], "argument --port: '0' is not a port: give a number from 1 to 65535"),
            (["--ui-port", "70000"], "argument --ui-port: '70000' is not a port: give a number from 1 to 65535"),
            (["--temporal-port", "x"], "argument --temporal-port: 'x' is not a port: give a number from 1 to 65535"),
            (["--agents", "-1"], "argument --agents: '-1' is not a number of agents: give one from 0 to 100"),
            (["--agents", NINES], f"argument --agents: '{NINES}' is not a number of agents: give one from 0 to 100"),
            (["--group", "a b"], "argument --group: 'a b' is not a group name: give letters, digits, '.', '_' and '-'"),
            (["--ephemeral", "--data-dir", "d"], "argument --data-dir: not allowed with argument --ephemeral"),
            (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        ],
    )
    def test_wrong_ones_are_said(self, argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(argv) == 2
        assert capsys.readouterr().err.splitlines()[-1] == f"waterflow dev: error: {message}"

    def test_help_is_no_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"]) == 0
        assert capsys.readouterr().out.startswith("usage: waterflow dev ")
