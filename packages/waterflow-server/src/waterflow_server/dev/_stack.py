"""The whole embedded stack: Temporal, the Waterflow server and some local agents, as processes of one owner."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from ._cache import Report
from ._errors import NotReady
from ._health import online_agents, server_state
from ._keys import ensure_key_ring
from ._part import Part, ProcessPart, TemporalPart, supervise
from ._ports import LOOPBACK, free_ports, require_free
from ._settings import Settings, TemporalSettings, default_data_dir
from ._temporal import EmbeddedTemporal

_POLL = 0.1
_FOREIGN = (
    "TEMPORAL_",
    "WATERFLOW_ADMIN_",
    "WATERFLOW_AUTH_",
    "WATERFLOW_HOST",
    "WATERFLOW_LOG_",
    "WATERFLOW_PORT",
    "WATERFLOW_SERVER",
)
_SERVER = (sys.executable, "-m", "waterflow_server", "start", "--host", LOOPBACK, "--port", "{port}")
_AGENT = (sys.executable, "-m", "waterflow_agent")


class StackSettings(Settings, frozen=True, kw_only=True):
    """What runs in the stack and where. Times are in seconds.

    - `data_dir`: holds everything: Temporal's database, keys, logs, state of server and agents; kept between starts
    - `ephemeral`: use a temporary directory instead and remove it at the end
    - `agents`, `groups`: how many agents, called `local-1` and so on, and the groups that all of them belong to
    - `port`: of the Waterflow server; None chooses a free one
    - `temporal`: of the Temporal server; its `data_dir` and `ephemeral` are those of the stack
    - `server_command`, `agent_command`: what is started; `{port}` stands for the port of the server
    - `ready_timeout`: from the start of the server until it and all agents are ready
    - `step_grace`: how long running steps may go on when the stack is stopped
    - `stop_timeout`: from SIGTERM to SIGKILL, for each of agents and server; an agent needs `step_grace` and then up to
      10 s to end its steps, and what it has not ended when it is killed lives on
    """

    data_dir: Path = msgspec.field(default_factory=default_data_dir)
    ephemeral: bool = False
    agents: int = 3
    groups: tuple[str, ...] = ("local",)
    port: int | None = None
    temporal: TemporalSettings = msgspec.field(default_factory=TemporalSettings.from_environ)
    server_command: tuple[str, ...] = _SERVER
    agent_command: tuple[str, ...] = _AGENT
    ready_timeout: float = 60.0
    step_grace: float = 2.0
    stop_timeout: float = 20.0


def _ignore(text: str) -> None:
    del text


class DevStack:
    """The embedded stack; it runs while this process does.

        async with DevStack(StackSettings()) as stack:
            print(stack.server_url)
            await stack.failed()

    Entering starts everything and waits until the server is ready and all agents are online. A part that ends by
    itself is reported and started again; `failed` raises StackFailed when that happens too often. Leaving stops the
    agents, then the server, then Temporal. Raises DevError.
    """

    def __init__(self, settings: StackSettings | None = None, report: Report = _ignore) -> None:
        self._settings = settings or StackSettings()
        self._report = report
        self._data_dir = self._settings.data_dir
        self._port = 0
        self._temporal: EmbeddedTemporal | None = None
        self._server: ProcessPart | None = None
        self._agents: list[ProcessPart] = []
        self._supervisors: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> DevStack:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def server_url(self) -> str:
        """Address of the Waterflow server, for SERVER_ADDRESS."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def temporal(self) -> EmbeddedTemporal:
        """The Temporal server of the stack; raises NotReady before `start`."""
        if self._temporal is None:
            raise NotReady("The stack was not started.")
        return self._temporal

    @property
    def data_dir(self) -> Path:
        """Where everything is; a temporary directory when ephemeral."""
        return self._data_dir

    @property
    def logs_dir(self) -> Path:
        """Where `server.log`, `agent-1.log` and so on are; Temporal's log is beside its database."""
        return self._data_dir / "logs"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of what runs now, by name: `temporal`, `server`, `local-1`, …"""
        parts: dict[str, int | None] = {
            "temporal": self._temporal.pid if self._temporal else None,
            "server": self._server.pid if self._server else None,
            **{self._agent_name(number): agent.pid for number, agent in enumerate(self._agents, 1)},
        }
        return {name: pid for name, pid in parts.items() if pid is not None}

    async def start(self) -> None:
        """Starts Temporal, the server and the agents and waits until all of them are ready."""
        try:
            self._port = self._choose_port()
            if self._settings.ephemeral:
                self._data_dir = Path(tempfile.mkdtemp(prefix="waterflow-dev-"))
            await self._start_temporal()
            await self._start_processes()
            await self._first_failure_or(asyncio.create_task(self._ready()))
        except BaseException:
            await self.stop()
            raise

    async def failed(self) -> None:
        """Waits until a part cannot be kept running, and raises StackFailed."""
        await self._first_failure_or(asyncio.create_task(asyncio.Event().wait()))

    async def stop(self) -> None:
        """Stops everything: agents, server, Temporal. Nothing is left running; an ephemeral data_dir is removed."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        self._supervisors.clear()
        await asyncio.gather(*(agent.stop(self._settings.stop_timeout) for agent in self._agents))
        if self._server:
            await self._server.stop(self._settings.stop_timeout)
        if self._temporal:
            await self._temporal.stop()
        if self._data_dir != self._settings.data_dir:
            shutil.rmtree(self._data_dir, ignore_errors=True)

    def _choose_port(self) -> int:
        if self._settings.port is None:
            return free_ports(1)[0]
        require_free(self._settings.port, "the Waterflow server", "choose another port with --port")
        return self._settings.port

    async def _start_temporal(self) -> None:
        settings = msgspec.structs.replace(self._settings.temporal, data_dir=self._data_dir, ephemeral=False)
        if self._settings.ephemeral:  # its data is thrown away next: nothing has to be written down first
            settings = msgspec.structs.replace(settings, stop_timeout=0.0)
        self._temporal = EmbeddedTemporal(settings, self._report)
        await self._temporal.start()
        self._report(f"Temporal answers at {self._temporal.address}")
        self._supervise(TemporalPart(self._temporal))

    async def _start_processes(self) -> None:
        # After Temporal: its lock on the data directory guards the key ring too.
        ensure_key_ring(self._data_dir / "keys.json")
        command = [word.replace("{port}", str(self._port)) for word in self._settings.server_command]
        environ = self._environ(WATERFLOW_DATA_DIR=str(self._data_dir / "server"))
        self._server = ProcessPart("server", command, environ, self.logs_dir / "server.log")
        self._agents = [self._agent(number) for number in range(1, self._settings.agents + 1)]
        for part in (self._server, *self._agents):
            await part.restart()
            self._supervise(part)

    def _agent(self, number: int) -> ProcessPart:
        name = self._agent_name(number)
        environ = self._environ(
            WATERFLOW_AGENT_NAME=name,
            SERVER_GROUP=",".join(self._settings.groups),
            WATERFLOW_STATE_DIR=str(self._data_dir / "agents" / name),
            WATERFLOW_STOP_GRACE=f"{self._settings.step_grace:g}s",
            WATERFLOW_KEEP_STEPS="off" if self._settings.ephemeral else "on",  # nothing of it is there for a next start
        )
        log = self.logs_dir / f"agent-{number}.log"
        return ProcessPart(f"agent {name}", self._settings.agent_command, environ, log)

    def _agent_name(self, number: int) -> str:
        return f"local-{number}"

    def _environ(self, **own: str) -> Mapping[str, str]:
        # What the user has set for servers and agents of his own (TLS, API key, …) is wrong for the embedded ones.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return inherited | {
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": self.temporal.namespace,
            "WATERFLOW_KEYS_FILE": str(self._data_dir / "keys.json"),
            "SERVER_ADDRESS": self.server_url,
            # A log that is read while its process runs must not wait in a buffer.
            "PYTHONUNBUFFERED": "1",
            **own,
        }

    def _supervise(self, part: Part) -> None:
        self._supervisors.append(asyncio.create_task(supervise(part, self._report), name=f"supervise {part.name}"))

    async def _first_failure_or(self, task: asyncio.Task[object] | asyncio.Task[None]) -> None:
        """Waits for the task, but raises at once when a supervisor gives up."""
        try:
            done, _ = await asyncio.wait((task, *self._supervisors), return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _ready(self) -> None:
        deadline = time.monotonic() + self._settings.ready_timeout
        while (why := await server_state(self._port)) is not None:
            await self._sleep_until(deadline, self._server, f"The server is not ready at {self.server_url}: {why}.")
        self._report(f"The server is ready at {self.server_url}")
        wanted = {self._agent_name(number): agent for number, agent in enumerate(self._agents, 1)}
        while missing := sorted(wanted.keys() - await online_agents(self._port)):
            text = f"Not online at {self.server_url}/v1/agents: {', '.join(missing)}."
            await self._sleep_until(deadline, wanted[missing[0]], text)
        self._report(f"Agents online in {_named(self._settings.groups)}: {len(wanted)}")

    async def _sleep_until(self, deadline: float, part: ProcessPart | None, text: str) -> None:
        if time.monotonic() < deadline:
            await asyncio.sleep(_POLL)
            return
        message = f"{text} Waited {self._settings.ready_timeout:.0f} s."
        raise NotReady(part.with_log(message) if part else message, {"part": part.name if part else ""})


def _named(groups: tuple[str, ...]) -> str:
    return f"the group {groups[0]}" if len(groups) == 1 else f"the groups {', '.join(groups)}"
