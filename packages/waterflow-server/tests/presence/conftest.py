"""A real Temporal, the server's presence worker, and agents that are played by a worker on their control queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import (
    AGENT_WORKFLOW,
    CONFIGURE_ACTIVITY,
    HELLO_UPDATE,
    LEASE_ACTIVITY,
    MANIFESTS_ACTIVITY,
    ORCHESTRATOR_QUEUE,
    AgentConfig,
    AgentHello,
    AgentLoad,
    AgentState,
    AgentStatus,
    LeaseGrant,
    NodeManifest,
    agent_workflow_id,
    control_queue,
)
from waterflow_server.documents import DocumentWorkflow
from waterflow_server.groups import GroupsWorkflow, group_activities
from waterflow_server.presence import PRESENCE_WORKFLOWS, AgentRegistry, presence_activities

BEAT = 0.3


class PlayedAgent:
    """One incarnation of an agent: its lease with ``load``, its manifests, and what it was configured with."""

    def __init__(self, client: Client, hello: AgentHello, manifests: list[NodeManifest] | None = None) -> None:
        self.client = client
        self.hello = hello
        self.manifests = manifests or []
        self.asked: list[list[str]] = []
        self.deaf = 0
        """How many configurations it does not take before it does."""
        self.configured: asyncio.Queue[AgentConfig] = asyncio.Queue()
        self.leased = asyncio.Event()
        self.load = AgentLoad(time=datetime.now(UTC), running=1, slots=4)
        self.stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.silent = asyncio.Event()

    async def say_hello(self, **changes: Any) -> AgentConfig:
        """Update with start, as the agent does it."""
        start: Any = WithStartWorkflowOperation(
            AGENT_WORKFLOW,
            id=agent_workflow_id(self.hello.id),
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        hello = msgspec.structs.replace(self.hello, **changes)
        return await self.client.execute_update_with_start_workflow(
            HELLO_UPDATE, hello, start_workflow_operation=start, result_type=AgentConfig
        )

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[PlayedAgent]:
        """Polls the control queue."""
        async with Worker(
            self.client,
            task_queue=control_queue(self.hello.id),
            activities=[self.lease, self.give_manifests, self.configure],
            max_heartbeat_throttle_interval=timedelta(seconds=BEAT),
            default_heartbeat_throttle_interval=timedelta(seconds=BEAT),
        ):
            yield self

    @activity.defn(name=LEASE_ACTIVITY)
    async def lease(self, grant: LeaseGrant) -> str:
        if grant.incarnation != self.hello.incarnation:
            return "another incarnation"
        self.leased.set()
        while not self.stopped.done():
            if not self.silent.is_set():
                activity.heartbeat(msgspec.structs.replace(self.load, time=datetime.now(UTC)))
            await asyncio.wait([self.stopped], timeout=BEAT)
        return self.stopped.result()

    @activity.defn(name=MANIFESTS_ACTIVITY)
    async def give_manifests(self, digests: list[str]) -> list[NodeManifest]:
        self.asked.append(digests)
        return [manifest for manifest in self.manifests if manifest.digest in digests]

    @activity.defn(name=CONFIGURE_ACTIVITY)
    async def configure(self, config: AgentConfig) -> None:
        if self.deaf:
            self.deaf -= 1
            raise RuntimeError("too busy to hear this")
        self.configured.put_nowait(config)


@pytest.fixture
async def orchestrator(client: Client) -> AsyncIterator[None]:
    """The server's worker for presence."""
    async with Worker(
        client,
        task_queue=ORCHESTRATOR_QUEUE,
        workflows=[*PRESENCE_WORKFLOWS, DocumentWorkflow, GroupsWorkflow],
        activities=[*presence_activities(client), *group_activities(client)],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


@pytest.fixture
def registry(client: Client) -> AgentRegistry:
    """The registry under test."""
    return AgentRegistry(client)


def hello(**changes: Any) -> AgentHello:
    """A hello of agent ``a1``, named ``web-01``."""
    given: dict[str, Any] = {
        "id": "a1",
        "name": "web-01",
        "incarnation": "i1",
        "version": "0.1.0",
        "host": "web-01.example.com",
        "groups": ["web"],
        "tags": ["linux", "ssd"],
        "slots": 4,
        "heartbeat_timeout": 30.0,
    }
    return AgentHello(**{**given, **changes})


Read = Callable[[], Awaitable[AgentState | None]]


async def until(read: Read, true: AgentStatus | Callable[[AgentState], bool]) -> AgentState:
    """The state, once it has this status or fulfils this condition: it becomes visible a moment after it was set."""
    async with asyncio.timeout(120):
        while True:
            state = await read()
            if state and (state.status is true if isinstance(true, AgentStatus) else true(state)):
                return state
            await asyncio.sleep(0.02)
