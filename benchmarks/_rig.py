"""The two sides of a comparison, each with the same place for each of its parts.

Everything talks to Temporal over loopback. The process of the benchmark runs both sides' workflow workers
(Waterflow's interpreter and the hand-written one) and starts the runs. Host processes run the agents, and
beside each agent the hand-written activity worker of the same name. So both sides have their workflows in one process,
their activities in another, and whatever stands idle, such as the agents' heartbeats, weighs on both alike.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
from temporalio.client import Client

from waterflow_dsl import Plan, check
from waterflow_sdk.codec import KeyFile
from waterflow_sdk.wire import RunState, State, run_workflow_id
from waterflow_server._temporal import connect
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings, ensure_key_ring
from waterflow_server.engine.worker import create_worker
from waterflow_server.runs import Runs, Submission
from waterflow_server.secrets import secret_references
from waterflow_server.settings import Settings, TemporalConnection

from ._hand_written import QUEUE, HandWritten, HandWrittenFanOut, workflow_worker
from ._host import Orders

_READY_WITHIN = 600.0  # hundreds of agents on a machine that is busy with other things
_RUN_WITHIN = 120.0
_END_WITHIN = 5.0
SEALED = f"{QUEUE}.sealed"


class Rig:
    """Both sides, ready. `agents` are the names of the agents, and of the hand-written queues."""

    def __init__(self, client: Client, plain: Client, agents: Sequence[str]) -> None:
        self.agents = agents
        self.client = client
        self._plain = plain
        self._runs = Runs(client)

    async def waterflow(self, plan: Plan) -> float:
        """Seconds from submitting a run until its result is there."""
        _, elapsed = await self.run(plan)
        return elapsed

    async def run(self, plan: Plan, within: float = _RUN_WITHIN) -> tuple[str, float]:
        """The id of a run, and the seconds from submitting it until its result is there."""
        started = time.perf_counter()
        run_id, _ = await self._runs.submit(Submission(plan=plan, started_by="benchmark"))
        handle = self.client.get_workflow_handle(run_workflow_id(run_id), result_type=RunState)
        # A defect that fails a workflow task is tried again for ever; the benchmark must not be.
        async with asyncio.timeout(within):
            state = await handle.result()
        elapsed = time.perf_counter() - started
        if state.state is not State.SUCCESS:
            raise SystemExit(f"the run ended with {state.state}: {state.reason}")
        return run_id, elapsed

    async def hand_written(self, steps: int) -> float:
        """The same with the hand-written workflow, on the first queue."""
        return await self._sequential(self._plain, QUEUE, steps, self.agents[0])

    async def hand_written_sealed(self, steps: int) -> float:
        """The same with all payloads encrypted as Waterflow does it."""
        return await self._sequential(self.client, SEALED, steps, f"{self.agents[0]}.sealed")

    async def hand_written_fan_out(self, steps: int) -> float:
        """The hand-written workflow with one child for each queue."""
        started = time.perf_counter()
        await self._plain.execute_workflow(
            HandWrittenFanOut.run, args=[steps, self.agents], id=uuid4().hex, task_queue=QUEUE
        )
        return time.perf_counter() - started

    async def _sequential(self, client: Client, queue: str, steps: int, activities: str) -> float:
        started = time.perf_counter()
        await client.execute_workflow(HandWritten.run, args=[steps, activities], id=uuid4().hex, task_queue=queue)
        return time.perf_counter() - started


@asynccontextmanager
async def rig(
    agents: int = 1, processes: int = 1, *, hand_written: str | None = None, sealed: bool = False
) -> AsyncGenerator[Rig]:
    """Both sides on a tuned Temporal of their own; `hand_written` is the address of another one for that side.

    The agents are spread over the processes. `sealed` adds a hand-written side with encrypted payloads.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waterflow-bench-")))
        settings = TemporalSettings.from_environ(data_dir=folder / "temporal", ui=False)
        temporal = await stack.enter_async_context(EmbeddedTemporal(settings))
        ensure_key_ring(folder / "keys.json")
        keys = KeyFile(folder / "keys.json")
        client, plain = await _clients(temporal.address, hand_written or temporal.address, keys)
        await stack.enter_async_context(create_worker(client, secret_references(Settings(data_dir=folder), keys)))
        await stack.enter_async_context(workflow_worker(plain))
        if sealed:
            await stack.enter_async_context(workflow_worker(client, SEALED))
        names = [f"bench-{number}" for number in range(1, agents + 1)]
        hosts = [
            Orders(
                names=names[first::processes],
                temporal=temporal.address,
                hand_written=hand_written or temporal.address,
                keys=str(folder / "keys.json"),
                folder=str(folder),
                sealed=sealed,
            )
            for first in range(processes)
        ]
        await asyncio.gather(*(stack.enter_async_context(_host(orders)) for orders in hosts))
        yield Rig(client, plain, names)


async def _clients(temporal: str, hand_written: str, keys: KeyFile) -> tuple[Client, Client]:
    return await connect(TemporalConnection(address=temporal), keys), await Client.connect(hand_written)


@asynccontextmanager
async def _host(orders: Orders) -> AsyncGenerator[None]:
    """A process with agents, until it is left; ready when all of them are online."""
    log = Path(orders.folder) / f"host-{orders.names[0]}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks._host",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        async with asyncio.timeout(_READY_WITHIN):
            if await process.stdout.readline() != b"ready\n":
                raise SystemExit(f"the agents did not start:\n{log.read_text(errors='replace')[-2000:]}")
        yield
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


def compiled(text: str) -> Plan:
    """The plan of a workflow file."""
    result = check(text)
    if result.plan is None:
        raise SystemExit(f"the benchmark's own file is not valid: {result.diagnostics[0]}")
    return result.plan
