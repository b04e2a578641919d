"""The supervisor: a real Temporal server, and stand-ins for the Waterflow server and agents."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from waterflow_server.dev import (
    DataDirectoryInUse,
    DevStack,
    NotReady,
    PortInUse,
    StackFailed,
    StackSettings,
    TemporalSettings,
)

from .conftest import is_running, until

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-ins say that they did."""
    path = tmp_path / "journal"
    path.touch()
    monkeypatch.setenv("STAND_IN_JOURNAL", str(path))
    return path


@pytest.fixture
def stack_settings(settings: TemporalSettings, journal: Path, tmp_path: Path) -> StackSettings:
    """A stack of stand-ins around a real Temporal server."""
    assert journal.exists()
    return StackSettings(
        data_dir=tmp_path / "data",
        agents=2,
        temporal=msgspec.structs.replace(settings, ui=False),
        server_command=(*STAND_IN, "server", "{port}"),
        agent_command=(*STAND_IN, "agent"),
        ready_timeout=120,
    )


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
async def stack(stack_settings: StackSettings, reports: list[str]) -> AsyncIterator[DevStack]:
    async with DevStack(stack_settings, reports.append) as running:
        yield running


class TestReady:
    async def test_all_parts_run_and_say_so(self, stack: DevStack, reports: list[str]) -> None:
        assert list(stack.pids) == ["temporal", "server", "local-1", "local-2"]
        assert all(is_running(pid) for pid in stack.pids.values())
        assert reports == [
            f"Temporal answers at {stack.temporal.address}",
            f"The server is ready at {stack.server_url}",
            "Agents online in the group local: 2",
        ]

    async def test_parts_lead_their_own_process_groups(self, stack: DevStack) -> None:
        assert {os.getpgid(pid) for pid in stack.pids.values()} == set(stack.pids.values())

    async def test_a_server_that_is_not_ready_is_named_with_its_log(self, stack_settings: StackSettings) -> None:
        slow = msgspec.structs.replace(
            stack_settings, server_command=(*STAND_IN, "lazy-server", "{port}"), ready_timeout=8
        )
        stack = DevStack(slow)
        with pytest.raises(NotReady) as caught:
            await stack.start()
        first, second, *log = caught.value.message.splitlines()
        assert first == (
            f'The server is not ready at {stack.server_url}: it says 503: {{"status": "unavailable"}}. Waited 8 s.'
        )
        assert second == f"Log: {slow.data_dir}/logs/server.log, last lines:"
        assert '"GET /health/ready HTTP/1.1" 503' in log[-1]
        assert stack.pids == {}

    async def test_agents_that_do_not_come_are_named(self, stack_settings: StackSettings) -> None:
        idle = msgspec.structs.replace(stack_settings, agent_command=("sleep", "1000"), ready_timeout=8)
        stack = DevStack(idle)
        with pytest.raises(NotReady) as caught:
            await stack.start()
        assert caught.value.message == (
            f"Not online at {stack.server_url}/v1/agents: local-1, local-2. Waited 8 s.\n"
            f"Log: {idle.data_dir}/logs/agent-1.log (empty)"
        )
        assert stack.pids == {}


class TestEnvironment:
    async def test_tells_agents_where_everything_is(
        self, stack_settings: StackSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEMPORAL_API_KEY", "of another cluster")
        async with DevStack(msgspec.structs.replace(stack_settings, groups=("web", "app"), agents=1)) as stack:
            data = stack.data_dir
            given = json.loads((data / "agents" / "local-1" / "environ.json").read_text())
            wanted = {
                "TEMPORAL_ADDRESS": stack.temporal.address,
                "TEMPORAL_NAMESPACE": "default",
                "WATERFLOW_KEYS_FILE": str(data / "keys.json"),
                "SERVER_ADDRESS": stack.server_url,
                "WATERFLOW_AGENT_NAME": "local-1",
                "SERVER_GROUP": "web,app",
                "WATERFLOW_STATE_DIR": str(data / "agents" / "local-1"),
            }
            assert {name: given.get(name) for name in wanted} == wanted
            assert "TEMPORAL_API_KEY" not in given
            assert stat.S_IMODE((data / "keys.json").stat().st_mode) == 0o600


class TestCrash:
    @pytest.mark.parametrize(
        ("part", "called"), [("server", "server"), ("local-2", "agent local-2"), ("temporal", "Temporal")]
    )
    async def test_is_said_and_the_part_is_started_again(
        self, stack: DevStack, reports: list[str], part: str, called: str
    ) -> None:
        pid = stack.pids[part]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: stack.pids.get(part, pid) != pid)
        said = next(text for text in reports if "killed by SIGKILL" in text)
        assert f"(process {pid}): killed by SIGKILL" in said.splitlines()[0]
        assert said.endswith(f"Starting {called} again in 0.2 s")

    async def test_too_often_stops_the_stack(self, stack_settings: StackSettings, journal: Path) -> None:
        stack = DevStack(msgspec.structs.replace(stack_settings, agent_command=(*STAND_IN, "ends"), agents=1))
        with pytest.raises(StackFailed) as caught:
            await stack.start()
        assert caught.value.message.splitlines()[0].startswith(
            "agent local-1 ended more than 5 times in 60 s. The last time: The agent local-1 (process "
        )
        assert caught.value.message.splitlines()[-1] == "  the disk is on fire"
        assert lines_of(journal).count("started") == 6
        assert stack.pids == {}

    async def test_a_program_that_is_not_there_is_said(self, stack_settings: StackSettings) -> None:
        stack = DevStack(msgspec.structs.replace(stack_settings, server_command=("/no/such/program",)))
        with pytest.raises(StackFailed, match=r"exit code 127(.|\n)*  /no/such/program: not found"):
            await stack.start()


class TestStop:
    async def test_agents_then_server_then_temporal(self, stack_settings: StackSettings, journal: Path) -> None:
        async with DevStack(stack_settings) as stack:
            pids = stack.pids
        assert lines_of(journal) == ["agent stopped", "agent stopped", "server stopped, Temporal up"]
        assert not [pid for pid in pids.values() if is_running(pid)]
        assert stack.pids == {}

    async def test_a_part_that_does_not_listen_is_killed(self, stack_settings: StackSettings) -> None:
        deaf = ("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        patient = msgspec.structs.replace(stack_settings, agent_command=deaf, ready_timeout=8, stop_timeout=0.5)
        stack = DevStack(patient)
        starting = asyncio.create_task(stack.start())
        await until(lambda: "local-2" in stack.pids)
        pids = stack.pids
        with pytest.raises(NotReady):
            await starting
        assert not [pid for pid in pids.values() if is_running(pid)]

    async def test_cancelled_while_it_starts_leaves_nothing(self, stack_settings: StackSettings) -> None:
        stack = DevStack(msgspec.structs.replace(stack_settings, agent_command=("sleep", "1000")))
        starting = asyncio.create_task(stack.start())
        await until(lambda: "local-1" in stack.pids)
        pids = stack.pids
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert not [pid for pid in pids.values() if is_running(pid)]


class TestData:
    async def test_ephemeral_is_removed(self, stack_settings: StackSettings) -> None:
        async with DevStack(msgspec.structs.replace(stack_settings, ephemeral=True)) as stack:
            directory = stack.data_dir
            assert sorted(entry.name for entry in (directory / "logs").iterdir()) == [
                "agent-1.log",
                "agent-2.log",
                "server.log",
            ]
        assert not directory.exists()
        assert not stack_settings.data_dir.exists()

    async def test_in_use_is_refused_and_the_first_stack_goes_on(
        self, stack: DevStack, stack_settings: StackSettings
    ) -> None:
        with pytest.raises(DataDirectoryInUse):
            await DevStack(stack_settings).start()
        assert all(is_running(pid) for pid in stack.pids.values())


class TestPort:
    async def test_busy_is_an_error_before_anything_starts(self, stack_settings: StackSettings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            with pytest.raises(PortInUse) as caught:
                await DevStack(msgspec.structs.replace(stack_settings, port=port)).start()
        assert caught.value.message == (
            f"Port {port} for the Waterflow server is in use on 127.0.0.1. "
            "Stop the program that listens there, or choose another port with --port."
        )
        assert not stack_settings.data_dir.exists()
