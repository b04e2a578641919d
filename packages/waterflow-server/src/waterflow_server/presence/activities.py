"""Server activities around agents: who a target names, and which node manifests are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from temporalio import activity
from temporalio.client import Client

from waterflow_sdk.wire import AgentState, NodeManifest

from ._choice import Chooser
from ._learning import Learning
from ._manifests import Manifests
from ._wire import (
    CHOOSE_AGENT_ACTIVITY,
    FIND_AGENTS_ACTIVITY,
    MISSING_MANIFESTS_ACTIVITY,
    STORE_MANIFESTS_ACTIVITY,
    AgentChoice,
    AgentQuery,
    ChoiceQuery,
)
from .registry import AgentRegistry


class PresenceActivities:
    """The activities, with the client they share."""

    def __init__(self, client: Client) -> None:
        self._registry = AgentRegistry(client)
        self._learning = Learning(Manifests(client))
        self._chooser = Chooser(self._registry)

    @activity.defn(name=FIND_AGENTS_ACTIVITY)
    async def find_agents(self, query: AgentQuery) -> list[AgentState]:
        """Members that the query names, by name, offline ones included; without nodes and load."""
        states = await self._registry.find(groups=query.groups, tags=query.tags, agent=query.agent)
        return [msgspec.structs.replace(state, nodes={}, broken_nodes=[], load=None) for state in states]

    @activity.defn(name=CHOOSE_AGENT_ACTIVITY)
    async def choose_agent(self, query: ChoiceQuery) -> AgentChoice:
        """The member with the least to do; all members where nobody can take anything now."""
        return await self._chooser.choose(query)

    @activity.defn(name=MISSING_MANIFESTS_ACTIVITY)
    async def missing_manifests(self, digests: list[str]) -> list[str]:
        """The digests to ask the agent for: those that are not stored, nor about to be."""
        return await self._learning.missing(digests)

    @activity.defn(name=STORE_MANIFESTS_ACTIVITY)
    async def store_manifests(self, manifests: list[NodeManifest]) -> None:
        """Keeps each manifest as a document named by its digest. Storing one again changes nothing."""
        await self._learning.store(manifests)


def presence_activities(client: Client) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    activities = PresenceActivities(client)
    return [activities.find_agents, activities.choose_agent, activities.missing_manifests, activities.store_manifests]
