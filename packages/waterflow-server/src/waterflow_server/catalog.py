"""The catalog: what nodes there are, from the manifests of all agents and the interpreter's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import msgspec

from waterflow_dsl import CONTROL_NODES, CONTROL_STRUCTURES, Catalog, NodeSignature
from waterflow_dsl.placement import Member
from waterflow_sdk.wire import AgentState, NodeEntry, NodeManifest

from ._away import away
from ._errors import ServerError
from ._nearest import did_you_mean
from .groups import GroupTable, grouped

ALL_SERVERS = "all-servers"
MAX_AGE = 0.4
"""How old a snapshot of the agents may be, in seconds: with the agent's own look, a new node is known within one."""


class NodeNotFound(ServerError):
    """No agent has a node of that name, and the interpreter has none."""

    code = "node-not-found"


class AgentSource(Protocol):
    """Where agents and manifests come from (:class:`waterflow_server.presence.AgentRegistry`)."""

    async def list(self) -> Sequence[AgentState]:
        """All agents."""
        ...

    async def manifests(self, digests: Iterable[str]) -> dict[str, NodeManifest]:
        """The stored manifests by digest; those that are not stored are left out."""
        ...


class GroupSource(Protocol):
    """Where groups come from (:class:`waterflow_server.groups.TableStore`)."""

    async def read(self) -> GroupTable:
        """The groups that the server keeps."""
        ...


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The catalog at one moment: for people, and for the language. ``needs`` are capabilities by manifest digest."""

    entries: list[NodeEntry]
    language: Catalog
    taken: float
    target_all: list[str] = []
    """Groups that mean every member where a job does not say how many it wants."""
    agents: Sequence[AgentState] = ()
    needs: dict[str, tuple[str, ...]] = {}

    @cached_property
    def members(self) -> dict[str, Member]:
        """The agents by id, as the language judges placement."""
        return {agent.id: _member(agent, self.needs) for agent in self.agents}

    @property
    def retry_safe(self) -> list[str]:
        """Nodes that may be run again without being asked."""
        return sorted(name for name, node in self.language.nodes.items() if node.retry_safe)


class NodeCatalog:
    """The nodes of all agents, those that are offline too: a run may wait for them."""

    def __init__(self, agents: AgentSource, groups: GroupSource | None = None) -> None:
        self._agents = agents
        self._groups = groups
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot | None = None

    async def snapshot(self, max_age: float = MAX_AGE) -> Snapshot:
        """The catalog, at most ``max_age`` seconds old."""
        asked = time.monotonic()
        async with self._lock:
            # Whoever waited for the lock while another read may have what that one read.
            if self._snapshot is None or self._snapshot.taken < asked - max_age:
                self._snapshot = await self._read()
            return self._snapshot

    async def nodes(self) -> list[NodeEntry]:
        """All nodes, by name; several versions of one, the newest first."""
        return (await self.snapshot()).entries

    async def node(self, name: str) -> NodeEntry:
        """The newest version of a node; raises NodeNotFound."""
        entries = await self.nodes()
        for entry in entries:
            if entry.manifest.name == name:
                return entry
        broken = (await self.snapshot()).language.broken.get(name)
        why = f"; {broken}" if broken else did_you_mean(name, {entry.manifest.name for entry in entries})
        raise NodeNotFound(f"no agent has a node {name!r}{why}", {"node": name})

    async def _read(self) -> Snapshot:
        taken = time.monotonic()
        table = await self._groups.read() if self._groups else GroupTable()
        agents = grouped(await self._agents.list(), table.specs.values())
        manifests = await self._agents.manifests({digest for agent in agents for digest in agent.nodes.values()})
        entries = _entries(agents, manifests)
        language = Catalog(
            nodes=_signatures(agents, entries),
            groups=frozenset({ALL_SERVERS, *table.groups, *(group for agent in agents for group in agent.groups)}),
            agents=frozenset(name for agent in agents for name in (agent.id, agent.name)),
            capabilities=_capabilities(agents),
            broken=_broken(agents),
        )
        needs = {digest: tuple(manifest.capabilities) for digest, manifest in manifests.items()}
        shown = sorted([*entries, *_CONTROL], key=_order)
        everyone = sorted(name for name, spec in table.specs.items() if spec.target == "all")
        return Snapshot(entries=shown, language=language, taken=taken, agents=agents, needs=needs, target_all=everyone)


def _member(agent: AgentState, needs: dict[str, tuple[str, ...]]) -> Member:
    nodes = {name: needs.get(digest, ()) for name, digest in agent.nodes.items()}
    return Member(name=agent.name, nodes=nodes, capabilities=agent.capabilities, away=away(agent))


def _entries(agents: Sequence[AgentState], manifests: dict[str, NodeManifest]) -> list[NodeEntry]:
    holders: dict[str, list[str]] = {}
    for agent in agents:
        for digest in agent.nodes.values():
            if digest in manifests:
                holders.setdefault(digest, []).append(agent.name)
    entries = [NodeEntry(manifest=manifests[digest], agents=sorted(names)) for digest, names in holders.items()]
    return sorted(entries, key=_order)


def _signatures(agents: Sequence[AgentState], entries: Sequence[NodeEntry]) -> dict[str, NodeSignature]:
    # An agent that has just come is listed before its manifests are stored: its nodes exist, whatever they take.
    signatures = {name: NodeSignature(name=name, version="") for agent in agents for name in agent.nodes}
    for entry in reversed(entries):
        signatures[entry.manifest.name] = NodeSignature.from_manifest(msgspec.to_builtins(entry.manifest))
    return signatures


def _capabilities(agents: Sequence[AgentState]) -> dict[str, frozenset[str]]:
    """What at least one member of each group has."""
    found: dict[str, set[str]] = {}
    for agent in agents:
        for group in (ALL_SERVERS, *agent.groups):
            found.setdefault(group, set()).update(agent.capabilities)
    return {group: frozenset(names) for group, names in found.items()}


def _broken(agents: Sequence[AgentState]) -> dict[str, str]:
    """Why nodes that were found somewhere cannot be used there; of several agents, the first one tells."""
    return {
        node.name: f"agent {agent.name} cannot use it: {node.reason} (from {node.source})"
        for agent in reversed(agents)
        for node in agent.broken_nodes
    }


def _order(entry: NodeEntry) -> tuple[str, list[int], str]:
    """By name, the newest version first."""
    numbers = [-int(part) if part.isascii() and part.isdigit() else 0 for part in entry.manifest.version.split(".")]
    return entry.manifest.name, numbers, entry.manifest.digest


def _control(signature: NodeSignature) -> NodeEntry:
    manifest = NodeManifest(
        name=signature.name,
        version=signature.version,
        description=signature.description,
        inputs=signature.inputs,
        outputs=signature.outputs,
        retry_safe=signature.retry_safe,
        distribution="waterflow-server",
    )
    return NodeEntry(manifest=manifest, control=True)


_CONTROL = [_control(signature) for signature in (*CONTROL_NODES.values(), *CONTROL_STRUCTURES.values())]
