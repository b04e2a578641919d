"""300 agents: how soon they are online, how long listing them takes, when the loss of 100 at once is noticed, how soon
a change reaches them, and when all are back after Temporal was away for longer than their leases last.

Agents are simulated by the agent's own code, in a few processes; Temporal and the server are those of `waterflow dev`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from waterflow_sdk.client import AsyncClient
from waterflow_sdk.wire import AgentStatus
from waterflow_server.dev import DevStack, StackSettings

from ._fleet import Host, all_held, cpu_seconds, hosts, told, until
from ._report import Figure, Report
from ._simulated import Orders

AGENTS = int(os.environ.get("WATERFLOW_BENCH_AGENTS", "300"))
PROCESSES = 6
LOST = 2
"""Processes that are killed at once."""

HEARTBEAT_TIMEOUT = 15.0
LISTS = 21
_IDLE = 5.0


class Meter:
    """What Temporal and the server take of the cores: on a shared machine it says more than the time."""

    def __init__(self, stack: DevStack, report: Report) -> None:
        self._stack = stack
        self._report = report
        self._before = self._now()
        self._at = time.perf_counter()

    def note(self, what: str, times: int = 1) -> None:
        """Reports the cores' milliseconds since the last note, for one of so many `times`."""
        now, at = self._now(), time.perf_counter()
        used = {name: (now[name] - self._before[name]) * 1000 / times for name in now}
        words = ", ".join(f"{name} {value:.0f} ms" for name, value in used.items())
        self._report.note(f"{what}: {at - self._at:.1f} s; CPU {words}; load {os.getloadavg()[0]:.1f}")
        self._before, self._at = self._now(), time.perf_counter()

    def _now(self) -> dict[str, float]:
        pids = self._stack.pids
        return {name: cpu_seconds(pids[name]) for name in ("temporal", "server")}


async def measure(report: Report) -> None:
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(DevStack(StackSettings(ephemeral=True, agents=0)))
        client = await exits.enter_async_context(AsyncClient(stack.server_url))
        meter = Meter(stack, report)
        orders = Orders(
            names=[f"sim-{number:03}" for number in range(AGENTS)],
            temporal=stack.temporal.address,
            keys=str(stack.data_dir / "keys.json"),
            groups=["simulated"],
            tags=["linux", "rack=1"],
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
        )
        started = time.perf_counter()
        fleet = await hosts(exits, orders, PROCESSES)
        await until(lambda: _is(client, AgentStatus.ONLINE, AGENTS))
        seconds = time.perf_counter() - started
        report.figure(
            Figure(name=f"{AGENTS} agents that start at once are online after", value=seconds, unit=" s", bar=60)
        )
        meter.note("start of all")
        await asyncio.sleep(_IDLE)
        meter.note("a second of rest", int(_IDLE))
        report.figure(await listing(client))
        meter.note("one listing", LISTS)
        report.figure(await all_change(client, fleet))
        meter.note("a change for all")
        report.figure(await one_change(client, fleet))
        meter.note("a change for one")
        report.figure(await outage(stack, client, fleet))
        meter.note("return of all")
        report.figure(await loss(client, fleet))
        meter.note("loss")


async def count(client: AsyncClient, status: AgentStatus) -> int:
    """Agents in this state."""
    return sum(agent.status is status for agent in await client.agents())


async def _is(client: AsyncClient, status: AgentStatus, number: int) -> bool:
    return await count(client, status) == number


async def listing(client: AsyncClient) -> Figure:
    """All agents in one list, over HTTP."""
    times: list[float] = []
    for _ in range(LISTS):
        started = time.perf_counter()
        assert len(await client.agents()) == AGENTS
        times.append(time.perf_counter() - started)
    return Figure(name=f"listing {AGENTS} agents over HTTP", value=statistics.median(times) * 1000, unit=" ms", bar=200)


async def all_change(client: AsyncClient, fleet: list[Host]) -> Figure:
    """All agents become members at once: when the last one knows."""
    names = [name for each in fleet for name in each.names]
    at = await _from(fleet, names, "everyone", lambda: client.groups.create("everyone", tags=["linux"]))
    return Figure(name=f"a change of the groups of all {AGENTS} has reached the last after", value=at, unit=" s")


async def one_change(client: AsyncClient, fleet: list[Host]) -> Figure:
    """One agent is listed in a group, while a group has all of them: when it knows."""
    at = await _from(fleet, ["sim-000"], "one", lambda: client.groups.create("one", agents=["sim-000"]))
    return Figure(name=f"one of {AGENTS} knows of its new group after", value=at, unit=" s", bar=2.0)


async def _from(fleet: list[Host], names: list[str], group: str, change: Callable[[], Awaitable[object]]) -> float:
    started = time.time()
    changing = asyncio.ensure_future(change())
    at = await told(fleet, names, group)
    await changing
    return at - started


async def outage(stack: DevStack, client: AsyncClient, fleet: list[Host]) -> Figure:
    """Temporal is away until every lease has run out: from its return until all agents are online.

    A list alone would not do: it shows an agent as online until its workflow has got to the time-out of its lease.
    """
    process = stack.pids["temporal"]
    os.kill(process, 19)
    await asyncio.sleep(HEARTBEAT_TIMEOUT + 2)
    os.kill(process, 18)
    started, returned = time.perf_counter(), time.time()

    async def are_back() -> bool:
        return all_held(fleet, returned) and await _is(client, AgentStatus.ONLINE, AGENTS)

    await until(are_back)
    took = time.perf_counter() - started
    return Figure(name="after an outage of Temporal all are back after", value=took, unit=" s", bar=30.0)


async def loss(client: AsyncClient, fleet: list[Host]) -> Figure:
    """Some processes are killed at once: when the last of their agents is shown as offline."""
    lost = [name for each in fleet[:LOST] for name in each.names]
    for each in fleet[:LOST]:
        each.kill()
    started = time.perf_counter()
    await until(lambda: _is(client, AgentStatus.OFFLINE, len(lost)), HEARTBEAT_TIMEOUT * 4)
    took = time.perf_counter() - started
    # Temporal looks at time-outs once a second or so, and lists follow a moment later.
    return Figure(
        name=f"the loss of {len(lost)} at once is noticed after", value=took, unit=" s", bar=HEARTBEAT_TIMEOUT + 2
    )


def main() -> int:
    report = Report(f"presence: {AGENTS} agents of 50 nodes, heartbeat time-out {HEARTBEAT_TIMEOUT:g} s")
    asyncio.run(measure(report))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
