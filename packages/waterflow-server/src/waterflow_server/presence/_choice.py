"""Which agent takes a job that several groups or tags ask for: the one with the least to do."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from waterflow_dsl.placement import lacking
from waterflow_sdk.wire import AgentRef, AgentState, AgentStatus, NodeManifest

from ._wire import AgentChoice, ChoiceQuery
from .registry import AgentRegistry

ASKED = 32
"""Candidates whose load is looked up; of more, a random few are as good."""

_ASKED_AT_ONCE = 16
_FORGOTTEN_AFTER = 30.0
_SETTLED_AFTER = 2.0


@dataclass(slots=True)
class _Promise:
    """A job that was sent to an agent whose heartbeats do not tell of it yet: ``heard`` is the last one before it."""

    at: float
    heard: datetime | None


class Chooser:
    """Chooses by the agents' last heartbeats, and by what it has chosen itself since: many jobs that start together do
    not all go to whoever was idle a moment ago. What another replica of the server has chosen shows a heartbeat later.
    """

    def __init__(self, registry: AgentRegistry) -> None:
        self._registry = registry
        self._promises: dict[str, list[_Promise]] = {}

    async def choose(self, query: ChoiceQuery) -> AgentChoice:
        """The member with the lowest share of busy slots that is online, has the nodes, what they need on its host, and
        a free slot; None if all are busy or none is online.
        """
        found = await self._registry.find(groups=query.groups, tags=query.tags)
        members = [member for member in found if member.id not in query.without]
        able = await self._able(members, query)
        if query.strict:
            members = able
        online = _online(able) or _online(members)
        candidates = await self._with_load(online if len(online) <= ASKED else random.sample(online, ASKED))
        free = [(self._busy(state) / state.slots, state) for state in candidates if self._busy(state) < state.slots]
        shown = [msgspec.structs.replace(member, nodes={}, broken_nodes=[], load=None) for member in members]
        if not free:
            return AgentChoice(members=shown)
        chosen = min(free, key=lambda each: (each[0], each[1].load.load1 if each[1].load else 0.0, each[1].name))[1]
        self._promises.setdefault(chosen.id, []).append(_Promise(time.monotonic(), _heard(chosen)))
        return AgentChoice(agent=AgentRef(id=chosen.id, name=chosen.name))

    async def _able(self, members: Sequence[AgentState], query: ChoiceQuery) -> list[AgentState]:
        named = {member.nodes[name] for member in members for name in query.nodes if name in member.nodes}
        manifests = await self._registry.manifests(named)
        return [member for member in members if _has_all(member, query, manifests)]

    async def _with_load(self, members: Sequence[AgentState]) -> list[AgentState]:
        gate = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def asked(member: AgentState) -> AgentState | None:
            async with gate:
                return await self._registry.get(member.id)

        found = await asyncio.gather(*(asked(member) for member in members))
        return [state for state in found if state is not None and state.status is AgentStatus.ONLINE]

    def _busy(self, state: AgentState) -> int:
        """Slots in use: as the heartbeat tells, with those kept between two steps, and those promised since."""
        now = time.monotonic()
        promises = [
            promise
            for promise in self._promises.get(state.id, ())
            if now - promise.at < _FORGOTTEN_AFTER
            and (promise.heard == _heard(state) or now - promise.at < _SETTLED_AFTER)
        ]
        self._promises[state.id] = promises
        return (state.load.running + state.load.held if state.load else 0) + len(promises)


def _online(members: Sequence[AgentState]) -> list[AgentState]:
    return [member for member in members if member.status is AgentStatus.ONLINE]


def _has_all(member: AgentState, query: ChoiceQuery, manifests: Mapping[str, NodeManifest]) -> bool:
    if not set(query.nodes) <= member.nodes.keys():
        return False
    found = (manifests.get(member.nodes[name]) for name in query.nodes)
    needed = [each for manifest in found if manifest for each in manifest.capabilities]
    return not lacking([*query.capabilities, *needed], member.capabilities)


def _heard(state: AgentState) -> datetime | None:
    return state.load.time if state.load else None
