"""300 agents: how long listing them takes, when the loss of 100 at once is noticed, how soon a change reaches them."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from temporalio.client import Client

from waterflow_sdk.codec import KeyFile
from waterflow_sdk.wire import AgentStatus, GroupSpec
from waterflow_server._temporal import connect
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings, ensure_key_ring
from waterflow_server.engine.worker import create_worker
from waterflow_server.groups import Groups
from waterflow_server.presence import Agents
from waterflow_server.secrets import secret_references
from waterflow_server.settings import Settings, TemporalConnection

from ._report import Figure, Report
from ._simulated import Orders

AGENTS = 300
PROCESSES = 6
LOST = 2
"""Processes that are killed at once."""

HEARTBEAT_TIMEOUT = 15.0
LISTS = 15
_READY_WITHIN = 300.0
_POLL = 0.05


class Host:
    """A process with simulated agents, and what it says of their configurations."""

    def __init__(self, process: asyncio.subprocess.Process, names: list[str]) -> None:
        self.names = names
        self.process = process
        self.configured: dict[str, tuple[float, list[str]]] = {}

    async def listen(self) -> None:
        """Reads what it says, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            match line.decode(errors="replace").split():
                case ["told", at, name, groups]:
                    self.configured[name] = (float(at), groups.split(","))
                case _:  # Temporal's core writes its warnings there too
                    sys.stderr.buffer.write(line)


@asynccontextmanager
async def host(orders: Orders) -> AsyncGenerator[Host]:
    """A process with agents that have said hello; ended when it is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks._simulated", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found = Host(process, orders.names)
    listening: asyncio.Task[None] | None = None
    try:
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        async with asyncio.timeout(_READY_WITHIN):
            if await process.stdout.readline() != b"ready\n":
                raise SystemExit("the simulated agents did not start")
        listening = asyncio.create_task(found.listen())
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if listening:
            await listening


async def stage(stack: AsyncExitStack) -> tuple[Client, str, Path]:
    """Temporal and the server's worker: a client, the address, and the key file."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waterflow-bench-")))
    settings = TemporalSettings.from_environ(data_dir=folder / "temporal", ui=False)
    temporal = await stack.enter_async_context(EmbeddedTemporal(settings))
    ensure_key_ring(folder / "keys.json")
    keys = KeyFile(folder / "keys.json")
    client = await connect(TemporalConnection(address=temporal.address), keys)
    await stack.enter_async_context(create_worker(client, secret_references(Settings(data_dir=folder), keys)))
    return client, temporal.address, folder / "keys.json"


async def until(check: Callable[[], Awaitable[bool]], within: float) -> None:
    """Waits for what nobody announces."""
    async with asyncio.timeout(within):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(_POLL)


async def count(agents: Agents, status: AgentStatus) -> int:
    """Agents in this state."""
    return len(await agents.list(status=status))


async def measure(report: Report) -> None:
    async with AsyncExitStack() as stack:
        client, address, keys = await stage(stack)
        agents, groups = Agents(client), Groups(client, Agents(client))
        names = [f"sim-{number:03}" for number in range(AGENTS)]
        started = time.perf_counter()
        orders = [
            Orders(
                names=names[first::PROCESSES],
                temporal=address,
                keys=str(keys),
                groups=["simulated"],
                tags=["linux", f"rack={first}"],
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
            )
            for first in range(PROCESSES)
        ]
        hosts = await asyncio.gather(*(stack.enter_async_context(host(each)) for each in orders))
        await until(lambda: _is(agents, AgentStatus.ONLINE, AGENTS), _READY_WITHIN)
        report.note(f"{AGENTS} agents in {PROCESSES} processes online after {time.perf_counter() - started:.1f} s")
        report.figure(await listing(agents))
        report.figure(await one_change(groups, hosts))
        report.figure(await all_change(groups, hosts))
        report.figure(await loss(agents, hosts))


async def _is(agents: Agents, status: AgentStatus, number: int) -> bool:
    return await count(agents, status) == number


async def listing(agents: Agents) -> Figure:
    """All agents in one list."""
    times: list[float] = []
    for _ in range(LISTS):
        started = time.perf_counter()
        assert len(await agents.list()) == AGENTS
        times.append(time.perf_counter() - started)
    return Figure(name=f"listing {AGENTS} agents", value=statistics.median(times) * 1000, unit=" ms", bar=200)


async def one_change(groups: Groups, hosts: list[Host]) -> Figure:
    """One agent is listed in a group: when it knows."""
    started = time.time()
    await groups.create(GroupSpec(name="one", agents=["sim-000"]))
    at = await _told(hosts, ["sim-000"], "one")
    return Figure(name="a change of a group reaches a living agent after", value=at - started, unit=" s", bar=2.0)


async def all_change(groups: Groups, hosts: list[Host]) -> Figure:
    """All agents become members at once: when the last one knows."""
    started = time.time()
    await groups.create(GroupSpec(name="everyone", tags=["linux"]))
    at = await _told(hosts, [name for each in hosts for name in each.names], "everyone")
    return Figure(name=f"… reaches all {AGENTS} agents after", value=at - started, unit=" s")


async def _told(hosts: list[Host], names: list[str], group: str) -> float:
    """When the last of these agents knew of the group."""

    def told() -> list[float]:
        said = {name: said for each in hosts for name, said in each.configured.items()}
        return [said[name][0] for name in names if name in said and group in said[name][1]]

    async def all_told() -> bool:
        return len(told()) == len(names)

    await until(all_told, _READY_WITHIN)
    return max(told())


async def loss(agents: Agents, hosts: list[Host]) -> Figure:
    """Some processes are killed at once: when the last of their agents is shown as offline."""
    lost = [name for each in hosts[:LOST] for name in each.names]
    for each in hosts[:LOST]:
        each.process.kill()
    started = time.perf_counter()
    await until(lambda: _is(agents, AgentStatus.OFFLINE, len(lost)), HEARTBEAT_TIMEOUT * 4)
    took = time.perf_counter() - started
    # Temporal looks at time-outs once a second or so, and lists follow a moment later.
    return Figure(
        name=f"the loss of {len(lost)} at once is noticed after", value=took, unit=" s", bar=HEARTBEAT_TIMEOUT + 2
    )


def main() -> int:
    report = Report(f"presence: {AGENTS} agents, heartbeat time-out {HEARTBEAT_TIMEOUT:g} s")
    asyncio.run(measure(report))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
