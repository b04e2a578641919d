"""Everything of an agent that needs a client of Temporal: presence, workers, attempts."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine
from typing import Any

import msgspec
from temporalio.client import Client

from waterflow_sdk.wire import AgentConfig, AgentHello, AgentHome, AgentLoad, AgentRef, AgentStatus, BrokenNode

from ._abilities import Abilities
from ._attempts import AttemptBook
from ._capabilities import host_tags, tool_marks
from ._claims import Claims, SlotBook
from ._errors import Refused
from ._execute import Executor
from ._load import measure
from ._notices import Notices
from ._orphans import Orphans
from ._presence import Presence
from ._readopt import Readopted
from ._registry import NodeRegistry
from ._secrets import SecretCheck, SecretResolver
from ._settings import AgentSettings
from ._stop import StopReason
from ._version import VERSION
from ._worker import GroupWorkers, QueueWorker, control_worker, step_worker

logger = logging.getLogger("waterflow.agent")

_LEASE_RETURN = 3.0
_WORKER_STOP = 10.0
_LOOK_AT_TOOLS = 5.0


class Session:
    """One incarnation at work."""

    def __init__(
        self,
        settings: AgentSettings,
        client: Client,
        agent: AgentRef,
        home: AgentHome,
        registry: NodeRegistry,
        attempts: AttemptBook,
        abilities: Abilities,
        notices: Notices,
        secrets: SecretResolver,
    ) -> None:
        self._settings = settings
        self._client = client
        self._agent = agent
        self._home = home
        self._registry = registry
        self._abilities = abilities
        self._secret_check = SecretCheck(secrets)
        self._slots = SlotBook(settings.max_concurrent_activities)
        self._attempts = attempts
        self._orphans = Orphans(client)
        self._executor = Executor(client, agent, self._attempts, self._slots, self._orphans)
        self._readopted = Readopted(client, self._attempts, self._slots, self._orphans)
        claims = Claims(agent, self._slots, registry, abilities)
        self._group_workers = GroupWorkers(client, claims, self._slots)
        self._presence = Presence(client, self._hello, self._load, registry.manifests, self._configured, notices)
        self._config = AgentConfig(groups=settings.groups)
        self._workers: list[QueueWorker] = []
        self._regrouping: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._ending = False

    @property
    def groups(self) -> list[str]:
        """Groups that the agent takes claims from now: none while it is cordoned or ends."""
        if self._ending or self._config.status is not AgentStatus.ONLINE:
            return []
        return self._config.groups

    async def start(self) -> None:
        """Says hello until it is accepted, then polls. Raises Refused when it never will be."""
        self._readopted.start()  # what ran before has to be confirmed even while no server answers a hello
        marks = tool_marks()
        await self._abilities.look()
        await self._presence.introduce()
        # Only now: until the hello was accepted, a former incarnation may still work on these queues.
        self._workers = [
            control_worker(self._client, self._agent.id, self._presence, [self._secret_check.check]),
            step_worker(self._client, self._agent.id, self._executor, self._slots.slots, self._settings.stop_grace),
        ]
        await self._group_workers.poll(self.groups)
        self._looking = asyncio.create_task(self._look_at_tools(marks), name="capabilities")

    def use(self, client: Client) -> None:
        """From now on calls Temporal with this client; what runs is not touched."""
        self._client = self._executor.client = self._presence.client = client
        self._readopted.client = self._orphans.client = client
        for worker in self._workers:
            worker.use(client)
        self._later(self._group_workers.use(client))

    async def keep(self) -> None:
        """Keeps the lease, for ever. Raises Refused."""
        await self._presence.keep()

    async def nodes_changed(self) -> None:
        """Tells the server which nodes there are now."""
        await self._say_again("nodes")

    async def _say_again(self, what: str) -> None:
        if self._ending:
            return
        try:
            await self._presence.introduce()
        except Refused as error:
            logger.error("the server does not take the %s that there are now: %s", what, error.message)

    async def _look_at_tools(self, known: tuple[object, ...]) -> None:
        """Says hello again when a tool has come, gone or changed its version: groups may depend on it."""
        told = self._abilities.found
        while True:
            await asyncio.sleep(_LOOK_AT_TOOLS)
            if (marks := tool_marks()) != known:
                known = marks
                await self._abilities.look()
            if self._abilities.found != told:  # a step that missed one may have looked as well
                told = self._abilities.found
                logger.info("capabilities: %s", " ".join(f"{name}={told[name]}" for name in sorted(told)))
                await self._say_again("capabilities")

    async def end(self) -> None:
        """Drains: running steps have their grace period, then they are ended; the lease is given back last."""
        self._ending = True
        if self._looking:
            self._looking.cancel()
        if not self._workers:
            await self._presence.withdraw()
            return
        control, steps = self._workers
        await self._presence.bye("it is stopping")
        await self._group_workers.poll([])
        stopping = asyncio.create_task(steps.stop())
        await self._end_steps()
        await _within(_WORKER_STOP, asyncio.create_task(self._readopted.reported()), "outcomes could not be reported")
        await _within(_WORKER_STOP, stopping, "the outcomes of the last steps could not be reported")
        self._presence.stop("it was stopped")
        await self._presence.given_back(_LEASE_RETURN)
        await _within(_WORKER_STOP, asyncio.create_task(control.stop()), "the control queue did not stop")

    async def _end_steps(self) -> None:
        grace = self._settings.stop_grace
        if self._attempts.living:
            logger.info("waiting up to %g s for %d running steps", grace, len(self._attempts.living))
        try:
            async with asyncio.timeout(grace):
                await self._attempts.all_ended()
        except TimeoutError:
            await self._attempts.stop_all(StopReason.AGENT_STOPPED, grace)

    def _load(self) -> AgentLoad:
        return measure(self._slots, self._attempts.living)

    def _hello(self) -> AgentHello:
        settings = self._settings
        return AgentHello(
            id=self._agent.id,
            name=self._agent.name,
            incarnation=self._attempts.incarnation,
            version=VERSION,
            host=socket.gethostname(),
            groups=settings.groups,
            tags=sorted({*settings.tags, *host_tags()}),
            capabilities=self._abilities.found,
            slots=settings.max_concurrent_activities,
            nodes=self._registry.digests,
            broken_nodes=shown(self._registry.broken),
            heartbeat_timeout=settings.heartbeat_timeout,
            home=self._home,
        )

    def _configured(self, config: AgentConfig) -> None:
        if config == self._config:
            return
        self._config = config
        logger.info("configured by the server: %s, groups %s", config.status.value, ", ".join(config.groups) or "none")
        if self._workers:
            self._later(self._group_workers.poll(self.groups))

    def _later(self, change: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(change)
        self._regrouping.add(task)
        task.add_done_callback(self._regrouping.discard)


_MOST_BROKEN = 20
_LONGEST_REASON = 500
_LONGEST_TRACE = 2000


def shown(broken: list[BrokenNode]) -> list[BrokenNode]:
    """What is told of broken nodes: bounded, because it travels with every list of agents."""
    return [
        msgspec.structs.replace(
            each,
            name=each.name[:_LONGEST_REASON],
            reason=each.reason[:_LONGEST_REASON],
            traceback=each.traceback[-_LONGEST_TRACE:],
        )
        for each in broken[:_MOST_BROKEN]
    ]


async def _within(seconds: float, task: asyncio.Task[None], otherwise: str) -> None:
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        task.cancel()
        logger.warning("%s within %g s", otherwise, seconds)
