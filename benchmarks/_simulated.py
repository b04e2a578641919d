"""A process with many simulated agents: `python -m benchmarks._simulated`.

Each says hello, holds its lease and takes its configuration by the agent's own code, but runs no steps, so that
hundreds fit into a process. Reads its orders as one line of JSON, writes `ready` when all hellos were accepted, and
then, for each configuration that an agent gets, `told`, the time, the agent's id and its groups. Ends when its
input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

import msgspec
from temporalio.client import Client

from waterflow_agent._converter import data_converter
from waterflow_agent._notices import Notices
from waterflow_agent._presence import Presence
from waterflow_agent._worker import control_worker
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import AgentConfig, AgentHello, AgentLoad

AT_ONCE = 2
SLOTS = 100


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What to host: agents by name, their groups and tags, and the seconds after which they count as lost."""

    names: list[str]
    temporal: str
    keys: str
    groups: list[str] = []
    tags: list[str] = []
    heartbeat_timeout: float = 15.0


class Simulated:
    """One agent."""

    def __init__(self, client: Client, name: str, orders: Orders) -> None:
        self._client = client
        self._hello = AgentHello(
            id=name,
            name=name,
            incarnation=f"{os.getpid()}-{name}",
            version="0.1.0",
            host=name,
            groups=orders.groups,
            tags=orders.tags,
            heartbeat_timeout=orders.heartbeat_timeout,
        )
        self._presence = Presence(client, lambda: self._hello, _load, lambda _: [], self._configured, Notices())
        self._ready = False

    async def start(self) -> None:
        """Returns when the hello was accepted and the control queue is polled."""
        await self._presence.introduce()
        self._worker = control_worker(self._client, self._hello.id, self._presence)
        self._ready = True

    async def keep(self) -> None:
        """Keeps the lease, for ever."""
        await self._presence.keep()

    def _configured(self, config: AgentConfig) -> None:
        if self._ready:
            print(f"told {time.time():.6f} {self._hello.id} {','.join(config.groups)}", flush=True)


def _load() -> AgentLoad:
    return AgentLoad(time=datetime.now(UTC), running=0, slots=SLOTS)


async def host(orders: Orders) -> None:
    """Runs until the input ends."""
    converter = data_converter(PayloadCodec(KeyRing.load(orders.keys)))
    client = await Client.connect(orders.temporal, data_converter=converter)
    agents = [Simulated(client, name, orders) for name in orders.names]
    gate = asyncio.Semaphore(AT_ONCE)

    async def start(agent: Simulated) -> None:
        async with gate:
            await agent.start()

    await asyncio.gather(*(start(agent) for agent in agents))
    print("ready", flush=True)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([ended, *(asyncio.create_task(agent.keep()) for agent in agents)], return_when="FIRST_COMPLETED")
    os._exit(0 if ended.done() else 1)  # Temporal itself is thrown away next


if __name__ == "__main__":
    asyncio.run(host(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
