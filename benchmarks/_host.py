"""A process with some agents and, beside each, the hand-written activity worker: `python -m benchmarks._host`.

Reads its orders as one line of JSON, writes `ready` when all agents are online, and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from temporalio.client import Client

from waterflow_agent import Agent, AgentSettings
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.node import Node
from waterflow_server._converter import data_converter

from ._hand_written import activity_worker

GROUP = "bench"
NODE = "bench/noop"
AT_ONCE = 10
"""Agents of one process that are being started at the same time."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What to host. `names` are those of the agents; the hand-written workers poll queues of the same names.

    - `temporal`: address for the agents, `hand_written`: address for the hand-written workers
    - `sealed`: whether there is a second hand-written worker, `<name>.sealed`, with Waterflow's encryption
    """

    names: list[str]
    temporal: str
    hand_written: str
    keys: str
    folder: str
    sealed: bool = False


class Noop(Node):
    """Does nothing."""

    name = NODE
    version = "1.0.0"

    async def execute(self, ctx: object, inputs: object) -> dict[str, object]:
        del ctx, inputs
        return {}


async def host(orders: Orders) -> None:
    """Runs until the input ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # Temporal's core prints its warnings to standard output, where only `ready` is expected
    async with AsyncExitStack() as stack:
        plain = await Client.connect(orders.hand_written)
        for name in orders.names:
            await stack.enter_async_context(activity_worker(plain, name))
        if orders.sealed:
            converter = data_converter(PayloadCodec(KeyRing.load(orders.keys)))
            sealed = await Client.connect(orders.hand_written, data_converter=converter)
            for name in orders.names:
                await stack.enter_async_context(activity_worker(sealed, f"{name}.sealed"))
        gate = asyncio.Semaphore(AT_ONCE)
        running = await asyncio.gather(*(_start(name, orders, gate) for name in orders.names))
        os.write(answers, b"ready\n")
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait((ended, *running), return_when=asyncio.FIRST_COMPLETED)
        # Nothing is worth an orderly end here: Temporal itself is thrown away next.
        sys.stderr.flush()
        os._exit(0 if ended.done() else 1)


async def _start(name: str, orders: Orders, gate: asyncio.Semaphore) -> asyncio.Task[None]:
    settings = AgentSettings(
        name=name,
        groups=[GROUP],
        temporal_address=orders.temporal,
        keys_file=Path(orders.keys),
        state_dir=Path(orders.folder) / name,
    )
    async with gate:
        agent = Agent(settings, nodes=[Noop], installed_nodes=False)
        running = asyncio.create_task(agent.run(), name=name)
        online = asyncio.create_task(agent.online.wait())
        await asyncio.wait((running, online), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    return running


if __name__ == "__main__":
    asyncio.run(host(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
