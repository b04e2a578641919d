"""A process with many simulated agents: `python -m benchmarks._simulated`.

Each says hello, holds its lease and takes its configuration by the agent's own code, but runs no steps, so that
hundreds fit into a process. All of them say hello at once, as after an outage. Reads its orders as one line of JSON,
writes `ready` when all hellos were accepted, and then, for each configuration that an agent gets, `told`, the time, the
agent's id and its groups; and `held`, the time and the agent's id, for each heartbeat of which it knows that Temporal
has taken it: only then is the lease known to be the agent's. Ends when its input ends.
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
from waterflow_sdk.wire import AgentConfig, AgentHello, AgentLoad, NodeManifest

from ._words import Words

SLOTS = 100
INPUTS = 8
"""Of each node, so that its manifest takes about 1 KB."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What to host: agents by name, their groups and tags, how many nodes each has (all have the same), and the seconds
    after which they count as lost.
    """

    names: list[str]
    temporal: str
    keys: str
    groups: list[str] = []
    tags: list[str] = []
    nodes: int = 50
    heartbeat_timeout: float = 15.0


class Contact(Notices):
    """Says of every heartbeat of a lease that Temporal has taken it."""

    def __init__(self, name: str, words: Words) -> None:
        super().__init__()
        self._name = name
        self._words = words

    def clear(self, subject: str, text: str) -> None:
        """Contact is cleared by each answer."""
        super().clear(subject, text)
        if subject == "contact":
            self._words.say(f"held {time.time():.6f} {self._name}")


class Simulated:
    """One agent."""

    def __init__(
        self, client: Client, name: str, orders: Orders, manifests: dict[str, NodeManifest], words: Words
    ) -> None:
        self._client = client
        self._words = words
        self._manifests = manifests
        self._hello = AgentHello(
            id=name,
            name=name,
            incarnation=f"{os.getpid()}-{name}",
            version="0.1.0",
            host=name,
            groups=orders.groups,
            tags=orders.tags,
            nodes={manifest.name: digest for digest, manifest in manifests.items()},
            heartbeat_timeout=orders.heartbeat_timeout,
        )
        contact = Contact(name, words)
        self._presence = Presence(client, lambda: self._hello, _load, self._known, self._configured, contact)

    async def start(self) -> None:
        """Returns when the hello was accepted and the control queue is polled."""
        await self._presence.introduce()
        self._worker = control_worker(self._client, self._hello.id, self._presence)

    async def keep(self) -> None:
        """Keeps the lease, for ever."""
        await self._presence.keep()

    def _known(self, digests: list[str]) -> list[NodeManifest]:
        return [self._manifests[digest] for digest in digests]

    def _configured(self, config: AgentConfig) -> None:
        self._words.say(f"told {time.time():.6f} {self._hello.id} {','.join(config.groups)}")


def _load() -> AgentLoad:
    return AgentLoad(time=datetime.now(UTC), running=0, slots=SLOTS)


def _manifests(count: int) -> dict[str, NodeManifest]:
    properties = {
        f"input-{number}": {"type": "string", "description": "What it is for. " * 4} for number in range(INPUTS)
    }
    inputs = {"type": "object", "properties": properties}
    made = [NodeManifest(name=f"simulated/node-{number:02}", version="1.0.0", inputs=inputs) for number in range(count)]
    return {manifest.digest: manifest for manifest in made}


async def host(orders: Orders, words: Words) -> None:
    """Runs until the input ends."""
    converter = data_converter(PayloadCodec(KeyRing.load(orders.keys)))
    client = await Client.connect(orders.temporal, data_converter=converter)
    manifests = _manifests(orders.nodes)
    agents = [Simulated(client, name, orders, manifests, words) for name in orders.names]
    await asyncio.gather(*(agent.start() for agent in agents))
    words.say("ready")
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([ended, *(asyncio.create_task(agent.keep()) for agent in agents)], return_when="FIRST_COMPLETED")
    os._exit(0 if ended.done() else 1)  # Temporal itself is thrown away next


if __name__ == "__main__":
    asyncio.run(host(msgspec.json.decode(sys.stdin.readline(), type=Orders), Words()))
