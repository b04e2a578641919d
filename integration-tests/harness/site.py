"""Temporal, server and agents under a test's control. Everything is on loopback and ends with the test."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.processes import end_keeper
from waterflow_sdk.client import AsyncClient, Run, WaterflowError
from waterflow_sdk.wire import AgentStatus, RunState
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings, ensure_key_ring

READY_WITHIN = 30.0
PATIENCE = 4.0
"""Limits of `until` are for a machine with nothing else to do; a busy one gets so many times as long."""
_POLL = 0.05


@dataclass
class Agent:
    """An agent process. ``state_dir`` stays when the process is killed, as on a real host."""

    name: str
    groups: Sequence[str]
    state_dir: Path
    process: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict[str, str])

    def end(self) -> None:
        """Ends it, its keeper, and the steps that the keeper has: nobody is to adopt them any more."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(60)
        end_keeper(self.state_dir)

    def kill(self) -> None:
        """``kill -9`` of the agent alone: what it started lives on, as on a real host."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)


class Site:
    """One Temporal, one server, some agents."""

    def __init__(
        self, root: Path, temporal: EmbeddedTemporal, port: int, server_environ: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self.server_environ = dict(server_environ or {})
        self.temporal = temporal
        self.port = port
        self.server: subprocess.Popen[bytes] | None = None
        self.agents: dict[str, Agent] = {}
        self.client = AsyncClient(self.url)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    @asynccontextmanager
    async def create(
        cls,
        root: Path,
        *,
        agents: Sequence[str] = (),
        groups: Sequence[str] = ("web",),
        server_environ: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Site]:
        """A ready site; ``agents`` all belong to ``groups``."""
        settings = TemporalSettings.from_environ(data_dir=root / "temporal", ui=False)
        async with EmbeddedTemporal(settings) as temporal:
            ensure_key_ring(root / "keys.json")
            site = cls(root, temporal, _free_port(), server_environ)
            try:
                await site.start_server()
                for name in agents:
                    site.start_agent(name, groups)
                await site.until_online(*agents)
                yield site
            finally:
                await site.client.aclose()
                site.stop()

    async def start_server(self) -> None:
        """Start the server process and wait until it is ready."""
        self.server = self._spawn(
            "server",
            ["-m", "waterflow_server", "start", "--port", str(self.port)],
            {
                "WATERFLOW_DATA_DIR": str(self.root / "server"),
                **self.server_environ,
            },
        )
        await until(self._ready, f"the server is ready; see {self.root}/server.log")

    def kill_server(self) -> None:
        """``kill -9`` of the server."""
        assert self.server is not None
        self.server.kill()
        self.server.wait(60)

    def start_agent(self, name: str, groups: Sequence[str] = ("web",), **environ: str) -> Agent:
        """Start an agent; the same name takes up its old state directory."""
        agent = self.agents.setdefault(name, Agent(name, groups, self.root / "agents" / name))
        agent.environ.update(environ)
        agent.process = self._spawn(
            f"agent-{name}",
            ["-m", "waterflow_agent"],
            {
                "WATERFLOW_AGENT_NAME": name,
                "SERVER_GROUP": ",".join(agent.groups),
                "WATERFLOW_STATE_DIR": str(agent.state_dir),
                **agent.environ,
            },
        )
        return agent

    async def until_online(self, *names: str) -> None:
        """Wait until these agents are online, with their current process."""

        async def online() -> bool:
            found = {agent.name for agent in await self.client.agents() if agent.status is AgentStatus.ONLINE}
            return found.issuperset(names)

        await until(online, f"{', '.join(names)} are online; see the agents' logs in {self.root}")

    async def submit(self, yaml: str, **given: object) -> Run:
        """Submit a workflow written inline."""
        return await self.client.submit(textwrap.dedent(yaml), **given)  # type: ignore[arg-type]

    async def run(self, yaml: str, *, within: float = 180.0, **given: object) -> RunState:
        """Submit and wait for the end."""
        return await (await self.submit(yaml, **given)).wait(within)

    def stop(self) -> None:
        """End every process that this site started, by its id."""
        for agent in self.agents.values():
            agent.end()
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGCONT)
            self.server.kill()
            self.server.wait(60)

    def _spawn(self, name: str, arguments: Sequence[str], own: dict[str, str]) -> subprocess.Popen[bytes]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "WATERFLOW_"))}
        environ |= {
            "TEMPORAL_ADDRESS": self.temporal.address,
            "SERVER_ADDRESS": self.url,
            "WATERFLOW_KEYS_FILE": str(self.root / "keys.json"),
            "PYTHONUNBUFFERED": "1",
            **own,
        }
        with (self.root / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _ready(self) -> bool:
        assert self.server is not None
        if self.server.poll() is not None:
            raise AssertionError(f"the server ended with {self.server.returncode}:\n{self._tail('server')}")
        with suppress(WaterflowError):
            return (await self.client.health()).status == "ok"
        return False

    def _tail(self, name: str) -> str:
        return "\n".join((self.root / f"{name}.log").read_text(errors="replace").splitlines()[-20:])


async def until(check: Callable[[], Awaitable[bool]], what: str, within: float = READY_WITHIN) -> None:
    """Wait for something that another process does and nobody announces. The limit only ends what hangs."""
    try:
        async with asyncio.timeout(within * PATIENCE):
            while not await check():
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise AssertionError(f"not within {within * PATIENCE:g} s: {what}") from None


def _free_port() -> int:
    from waterflow_server.dev._ports import free_ports

    return free_ports(1)[0]
