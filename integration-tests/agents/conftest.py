"""A real Temporal, presence as the server runs it, agents as processes of their own, and a workflow that delivers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from harness.files import files_below
from harness.processes import end_keeper
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.wire import (
    CLAIM_ACTIVITY,
    EXECUTE_ACTIVITY,
    ORCHESTRATOR_QUEUE,
    AgentRef,
    AgentStatus,
    AttemptKey,
    ClaimRequest,
    NodeOutcome,
    NodeTask,
    RunInfo,
    agent_queue,
    group_queue,
)
from waterflow_server._converter import data_converter
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings
from waterflow_server.groups import group_activities
from waterflow_server.presence import PRESENCE_WORKFLOWS, AgentRegistry, presence_activities

LIMIT = 120.0
"""Seconds after which what is waited for hangs."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow under test sends: a task, how often at most, and its time-outs in seconds."""

    task: NodeTask
    times: int = 1
    heartbeat: float = 60.0
    to_start: float = 20.0


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: the outcome of the last delivery, and the time-outs of those before."""

    outcome: NodeOutcome | None
    lost: list[str] = []


@workflow.defn
class Deliver:
    """Sends the same attempt to the same agent until it has an outcome, as the interpreter does."""

    @workflow.run
    async def run(self, delivery: Delivery) -> Delivered:
        lost: list[str] = []
        for _ in range(delivery.times):
            try:
                outcome = await workflow.execute_activity(
                    EXECUTE_ACTIVITY,
                    delivery.task,
                    result_type=NodeOutcome,
                    task_queue=agent_queue(delivery.task.agent.id),
                    heartbeat_timeout=timedelta(seconds=delivery.heartbeat),
                    schedule_to_start_timeout=timedelta(seconds=delivery.to_start),
                    start_to_close_timeout=timedelta(seconds=300),
                    retry_policy=RetryPolicy(maximum_attempts=1),
                    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                )
                return Delivered(outcome=outcome, lost=lost)
            except ActivityError as error:
                if not isinstance(error.cause, TimeoutError) or error.cause.type is None:
                    raise
                lost.append(error.cause.type.name)
        return Delivered(outcome=None, lost=lost)


@workflow.defn
class ClaimOne:
    """Claims an agent of a group, once; answers its name or why it refused."""

    @workflow.run
    async def run(self, group: str, nodes: list[str], within: float) -> str:
        try:
            claimed = await workflow.execute_activity(
                CLAIM_ACTIVITY,
                ClaimRequest(run=workflow.info().workflow_id, job="build", nodes=nodes),
                result_type=AgentRef,
                task_queue=group_queue(group),
                schedule_to_start_timeout=timedelta(seconds=within),
                start_to_close_timeout=timedelta(seconds=within),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            cause = error.cause
            return f"{cause.type}: {cause.message}" if isinstance(cause, ApplicationError) else str(cause)
        return claimed.name


class Site:
    """What a test works with."""

    def __init__(self, client: Client, temporal: EmbeddedTemporal, root: Path) -> None:
        self.client = client
        self.temporal = temporal
        self.root = root
        self.registry = AgentRegistry(client)
        self.processes: list[subprocess.Popen[bytes]] = []

    def agent_id(self, name: str) -> str:
        """The id that the agent of that name has."""
        return f"{name}-id"

    async def start_agent(self, name: str, *arguments: str, address: str | None = None) -> subprocess.Popen[bytes]:
        """Starts an agent in group ``web`` and waits until it is online with its new process."""
        former = await self.registry.get(self.agent_id(name))
        with (self.root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: ASYNC220 (it returns at once)
                [
                    *(sys.executable, "-m", "waterflow_agent", "--name", name, "--id", self.agent_id(name)),
                    *("--temporal", address or self.temporal.address, "--groups", "web"),
                    *("--state-dir", str(self.root / name), *arguments),
                ],
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        await self.until_online(name, former.incarnation if former else "")
        return process

    async def until_online(self, name: str, not_this: str = "") -> None:
        """Waits until the agent is online, with another incarnation than the given one."""
        async with asyncio.timeout(LIMIT):
            while True:
                state = await self.registry.get(self.agent_id(name))
                if state and state.status is AgentStatus.ONLINE and state.incarnation != not_this:
                    return
                await asyncio.sleep(0.05)

    def task(self, agent: str, script: str, **fields: Any) -> NodeTask:
        """An attempt of a shell script on that agent, with a key of its own."""
        given: dict[str, Any] = {
            "key": AttemptKey(run=uuid.uuid4().hex[:8], job="build", step="steps[0]", attempt=1),
            "node": "shell",
            "agent": AgentRef(id=self.agent_id(agent), name=agent),
            "run": RunInfo(id="r1", name="test"),
            "inputs": {"run": script},
            "kill_grace": 1.0,
        }
        return NodeTask(**{**given, **fields})

    async def deliver(self, task: NodeTask, **fields: Any) -> WorkflowHandle[Any, Delivered]:
        """Begins to deliver the attempt."""
        return await self.client.start_workflow(
            Deliver.run, Delivery(task=task, **fields), id=f"deliver/{uuid.uuid4().hex}", task_queue=ORCHESTRATOR_QUEUE
        )

    async def claim(self, group: str = "web", nodes: list[str] | None = None, within: float = 60.0) -> str:
        """Claims an agent; ``within`` so many seconds somebody has to take the claim, and to answer it."""
        return await self.client.execute_workflow(
            ClaimOne.run,
            args=[group, nodes or [], within],
            id=f"claim/{uuid.uuid4().hex}",
            task_queue=ORCHESTRATOR_QUEUE,
        )

    def stop(self) -> None:
        """Ends the agents that the test started."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(LIMIT)
        for path in files_below(self.root):
            if path.name == "keeper.lock":
                end_keeper(path.parent)


async def until_file(path: Path, lines: int = 1) -> list[str]:
    """The lines of a file, once it has that many."""
    async with asyncio.timeout(LIMIT):
        while True:
            with contextlib.suppress(FileNotFoundError):
                found = path.read_text().splitlines()  # noqa: ASYNC240 (a few bytes)
                if len(found) >= lines:
                    return found
            await asyncio.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@pytest.fixture
async def site(temporal_binary: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A site without agents."""
    settings = TemporalSettings.from_environ(
        binary=temporal_binary, data_dir=tmp_path / "temporal", ui=False, stop_timeout=0.1
    )
    async with EmbeddedTemporal(settings) as temporal:
        client = await Client.connect(temporal.address, data_converter=data_converter(PayloadCodec()))
        async with Worker(
            client,
            task_queue=ORCHESTRATOR_QUEUE,
            workflows=[*PRESENCE_WORKFLOWS, Deliver, ClaimOne],
            activities=[*presence_activities(client), *group_activities(client)],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            site = Site(client, temporal, tmp_path)
            try:
                yield site
            finally:
                site.stop()


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents under test get their settings from the test alone."""
    for name in os.environ:
        if name.startswith(("TEMPORAL_", "WATERFLOW_")) and name != "WATERFLOW_TEMPORAL_BINARY":
            monkeypatch.delenv(name)
