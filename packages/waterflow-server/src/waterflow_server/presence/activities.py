"""Server activities around agents: who a target names, and which node manifests are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, AgentState, NodeManifest, document_workflow_id

from .._search_attributes import KIND, NAME
from ..documents import DOCUMENT_WORKFLOW, VALUE_MEMO, VERSION_MEMO, DocumentSeed
from ._choice import Chooser
from ._wire import (
    CHOOSE_AGENT_ACTIVITY,
    FIND_AGENTS_ACTIVITY,
    MANIFEST_KIND,
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
        self._client = client
        self._registry = AgentRegistry(client)
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
        """The digests that are not stored yet."""
        known = await self._registry.manifests(digests)
        return [digest for digest in digests if digest not in known]

    @activity.defn(name=STORE_MANIFESTS_ACTIVITY)
    async def store_manifests(self, manifests: list[NodeManifest]) -> None:
        """Keeps each manifest as a document named by its digest. Storing one again changes nothing."""
        await asyncio.gather(*(self._store(manifest) for manifest in manifests))

    async def _store(self, manifest: NodeManifest) -> None:
        await self._client.start_workflow(
            DOCUMENT_WORKFLOW,
            DocumentSeed(),
            id=document_workflow_id(MANIFEST_KIND, manifest.digest),
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            memo={VALUE_MEMO: manifest, VERSION_MEMO: 1},
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(KIND, MANIFEST_KIND), SearchAttributePair(NAME, manifest.name)]
            ),
        )


def presence_activities(client: Client) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    activities = PresenceActivities(client)
    return [activities.find_agents, activities.choose_agent, activities.missing_manifests, activities.store_manifests]
