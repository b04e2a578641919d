"""The process of an agent, seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.site import until

from waterflow_sdk.wire import AgentStatus, State
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings

from .conftest import Site, until_file

_LISTENING = "0A"  # proc_net_tcp(5)


def listening(pid: int) -> set[str]:
    """The TCP ports on which the process takes connections, as `address:port` in hexadecimal."""
    sockets = set(_open(pid))
    return {
        local
        for table in ("tcp", "tcp6")
        for _, local, _, state, *rest in (
            line.split() for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        )
        if state == _LISTENING and f"socket:[{rest[5]}]" in sockets
    }


def _open(pid: int) -> Iterator[str]:
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(each)


class TestProcess:
    async def test_it_takes_no_connections(self, site: Site) -> None:
        agent = await site.start_agent("web-01")
        assert await asyncio.to_thread(listening, agent.pid) == set()

    async def test_steps_find_docker_where_the_settings_say(self, site: Site, tmp_path: Path) -> None:
        await site.start_agent("web-01", "--docker-socket", "/srv/docker.sock")
        marks = tmp_path / "marks"
        handle = await site.deliver(site.task("web-01", f"echo $DOCKER_HOST > {marks}"))
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.state is State.SUCCESS
        assert await until_file(marks) == ["unix:///srv/docker.sock"]

    async def test_a_script_without_a_timeout_has_the_one_of_the_settings(self, site: Site) -> None:
        await site.start_agent("web-01", "--script-timeout", "2s")
        handle = await site.deliver(site.task("web-01", "sleep 600"))
        delivered = await handle.result()
        assert delivered.outcome is not None
        assert delivered.outcome.error is not None
        assert (delivered.outcome.state, delivered.outcome.error.message) == (
            State.TIMED_OUT,
            "the step did not end within 2 s (the agent's `nodes.script_timeout`) and was killed",
        )


class TestStopping:
    async def test_it_takes_no_new_work_while_a_step_ends(self, site: Site, tmp_path: Path) -> None:
        agent = await site.start_agent("web-01", "--stop-grace", "600")
        marks, go = tmp_path / "marks", tmp_path / "go"
        running = await site.deliver(
            site.task("web-01", f"echo 1 > {marks}; until [ -e {go} ]; do sleep 0.1; done"), heartbeat=30.0
        )
        await until_file(marks)
        agent.send_signal(signal.SIGTERM)

        async def draining() -> bool:
            state = await site.registry.get(site.agent_id("web-01"))
            return state is not None and (state.status, state.reason) == (AgentStatus.DRAINING, "it is stopping")

        await until(draining, "it is shown as draining")
        # A poll that was still open may swallow the claim; nobody takes it either way.
        assert await site.claim(within=3.0) in {"activity ScheduleToStart timeout", "activity StartToClose timeout"}
        await asyncio.to_thread(go.touch)
        delivered = await running.result()
        assert delivered.outcome is not None
        assert (delivered.outcome.state, delivered.lost) == (State.SUCCESS, [])
        assert await asyncio.to_thread(agent.wait, 120) == 0

    async def test_it_ends_at_once_while_no_server_answers_its_hello(
        self, temporal_binary: Path, tmp_path: Path
    ) -> None:
        settings = TemporalSettings.from_environ(data_dir=tmp_path / "temporal", ui=False, binary=temporal_binary)
        async with EmbeddedTemporal(settings) as temporal:
            with (tmp_path / "agent.log").open("wb") as log:
                agent = subprocess.Popen(  # noqa: ASYNC220 (it returns at once)
                    [
                        *(sys.executable, "-m", "waterflow_agent", "--temporal", temporal.address),
                        *("--state-dir", str(tmp_path / "state")),
                    ],
                    stderr=log,
                )

            async def noticed() -> bool:
                return "no Waterflow server answers" in (tmp_path / "agent.log").read_text()

            try:
                await until(noticed, "the agent says that no server answers")
                agent.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(agent.wait, 120) == 0
            finally:
                agent.kill()
                agent.wait()
