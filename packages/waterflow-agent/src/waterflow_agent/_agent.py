"""The agent: takes its state directory, cleans up, connects, works, and goes down in order."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.wire import AgentHome, AgentRef

from ._abilities import Abilities
from ._adopt import adopt
from ._attempts import AttemptBook
from ._capabilities import find_capabilities
from ._confinement import Users
from ._connect import connect, keep_credentials, payload_codec
from ._crashes import Crashes
from ._housekeeping import keep_clean
from ._identity import StateDirectory, new_incarnation
from ._journal import Journal
from ._keeping import Keeping
from ._leftovers import Ended, end_leftovers, report
from ._logs import Logs
from ._notices import Notices
from ._plugins import Caution, Discovery, InstalledPacks
from ._registry import NodeRegistry
from ._runner import Runner
from ._secrets import SecretResolver, secret_sources
from ._session import Session
from ._settings import AgentSettings
from ._stop import StopReason
from ._workspace import Workspaces

logger = logging.getLogger("waterflow.agent")

T = TypeVar("T")

_LOGS_FLUSH = 5.0


class Agent:
    """An agent, embeddable in an application's event loop::

        agent = Agent(temporal="127.0.0.1:7233", groups=["web-servers"], nodes=[Notify])
        await agent.run()

    Args:
        settings: All settings; ``temporal`` and ``groups`` override some of it.
        temporal: ``host:port`` of Temporal's frontend.
        groups: Groups that the agent is a member of.
        nodes: Node classes or decorated functions, beside those of installed distributions.
        installed_nodes: Whether nodes of installed distributions and of the plug-in directory are used.
    """

    def __init__(
        self,
        settings: AgentSettings | None = None,
        *,
        temporal: str | None = None,
        groups: Sequence[str] | None = None,
        nodes: Sequence[object] = (),
        installed_nodes: bool = True,
    ) -> None:
        given = {"temporal_address": temporal, "groups": None if groups is None else list(groups)}
        changes = {name: value for name, value in given.items() if value is not None}
        self._settings = msgspec.structs.replace(settings or AgentSettings(), **changes)
        self._nodes = list(nodes)
        self._notices = Notices()
        self._registry = NodeRegistry()
        self._users = Users(self._settings.run_as)
        self._abilities = Abilities(self._look)
        self._discovery: Discovery | None = None
        if installed_nodes:
            caution = Caution(self._settings.state_dir / "loading.json")
            self._discovery = Discovery(self._registry, self._settings.plugin_dir, InstalledPacks(), caution)
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self.online = asyncio.Event()
        """Set while the agent polls for work: its hello was accepted, and it was not told to stop."""

    async def run(self) -> None:
        """Runs until :meth:`stop`, through every outage. Raises AgentError when it cannot start or never may work."""
        state = StateDirectory(self._settings.state_dir)
        try:
            await self._find_nodes()
            codec = payload_codec(self._settings)
            await self._unless_stopped(state.lock())
            if not self._stopping.is_set():
                await self._run(state, codec)
        finally:
            state.release()
            self._ended.set()

    def request_stop(self) -> None:
        """Begins to drain: no new work; running steps have ``stop_grace`` seconds; then :meth:`run` returns."""
        self._stopping.set()

    async def stop(self) -> None:
        """Drains and waits until :meth:`run` has returned."""
        self._stopping.set()
        await self._ended.wait()

    async def _find_nodes(self) -> None:
        if self._discovery:
            await self._discovery.refresh()
        for node in self._nodes:
            self._registry.add(node)

    async def _look(self) -> dict[str, str]:
        users = await asyncio.to_thread(self._users.capabilities)
        return {**await find_capabilities(self._settings.capabilities), **users}

    async def _watch_nodes(self, session: Session) -> None:
        if self._discovery and self._settings.plugin_reload:
            await self._discovery.watch(session.nodes_changed)

    async def _run(self, state: StateDirectory, codec: PayloadCodec) -> None:
        agent = AgentRef(id=state.agent_id(self._settings.id), name=self._settings.name or socket.gethostname())
        journal = Journal(state.path / "attempts", codec)
        workspaces = Workspaces(state.path / "work", self._settings.run_as)
        logs = Logs(self._settings, agent.name, self._notices)
        secrets = SecretResolver(codec, secret_sources(self._settings, agent.name))
        settings = self._settings
        crashes = Crashes(state.path, self._registry)
        crashed = crashes.last(journal.unfinished)
        crashes.watch()
        keeping = Keeping(state.path, self._notices, settings.log_max_bytes, wanted=settings.keep_steps)
        runner = Runner(
            agent=agent,
            registry=self._registry,
            journal=journal,
            logs=logs,
            workspaces=workspaces,
            secrets=secrets,
            users=self._users,
            abilities=self._abilities,
            crashes=crashes,
            keeping=keeping,
            memory_limit=settings.memory_limit,
            script_timeout=settings.script_timeout,
        )
        attempts = AttemptBook(journal, new_incarnation(), runner, keeping.release)
        adopted = await adopt(keeping, journal, self._registry, attempts, logs, crashed)
        left = await end_leftovers(agent, journal, logs, adopted=adopted, crashed=crashed)
        logs.start()
        cleaning = asyncio.create_task(keep_clean(journal, workspaces, logs, self._settings))
        try:
            await self._work(agent, state.home(), codec, attempts, left, secrets)
            await attempts.stop_all(StopReason.AGENT_STOPPED, self._settings.stop_grace)
        finally:
            cleaning.cancel()
            keeping.end()
            await asyncio.to_thread(logs.stop, _LOGS_FLUSH)
            crashes.unwatch()

    async def _work(
        self,
        agent: AgentRef,
        home: AgentHome,
        codec: PayloadCodec,
        attempts: AttemptBook,
        left: list[Ended],
        secrets: SecretResolver,
    ) -> None:
        client = await self._unless_stopped(connect(self._settings, codec, self._notices))
        if client is None:
            return
        session = Session(
            self._settings, client, agent, home, self._registry, attempts, self._abilities, self._notices, secrets
        )
        watching = [asyncio.create_task(keep_credentials(self._settings, codec, self._notices, session.use))]
        try:
            await self._unless_stopped(session.start())
            watching.append(asyncio.create_task(self._watch_nodes(session)))
            if not self._stopping.is_set():
                groups = ", ".join(session.groups) or "no group"
                logger.info("agent %s (%s) is online in %s", agent.name, agent.id, groups)
                self.online.set()
                await report(client, left)
            await self._unless_stopped(session.keep())
        finally:
            self.online.clear()
            for task in watching:
                task.cancel()
            await session.end()

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of the work; None if the agent was told to stop before."""
        task = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        return None if task.cancelled() else task.result()
