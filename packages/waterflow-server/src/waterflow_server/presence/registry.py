"""The agents and node manifests as Temporal keeps them: lists come from visibility, one agent from its workflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import (
    LEASE_ACTIVITY,
    AgentLoad,
    AgentState,
    AgentStatus,
    NodeManifest,
    agent_workflow_id,
)

from .._search_attributes import GROUPS, KIND, NAME, STATE
from ._facts import tags_of
from ._listing import listed_agents
from ._manifests import Manifests
from ._wire import ALL_SERVERS, STATE_MEMO

Agents = list[AgentState]
"""By name."""


class AgentRegistry:
    """Reads agents and manifests. Changes go to the workflows themselves; a list may lag by tens of milliseconds."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._manifests = Manifests(client)

    async def list(self, *, status: AgentStatus | None = None, group: str | None = None) -> Agents:
        """All agents, by name; without load. One visibility query."""
        terms = [f"{STATE.name} = {_quoted(status.value)}"] if status else []
        if group and group != ALL_SERVERS:
            terms.append(f"{GROUPS.name} = {_quoted(group)}")
        return await self._query(terms)

    async def get(self, id_or_name: str) -> AgentState | None:
        """One agent by id, else by name, with the load of its last heartbeat. None if there is none."""
        found = await self._describe(id_or_name)
        if found is None:
            named = await self._query([f"{NAME.name} = {_quoted(id_or_name)}"])
            found = await self._describe(named[0].id) if named else None
        return found

    async def find(self, *, groups: Iterable[str] = (), tags: Iterable[str] = (), agent: str | None = None) -> Agents:
        """Members of any of ``groups`` that have all ``tags``; ``agent`` is one id or name. Empty does not restrict.

        Offline members are included: what to do with them is the job's policy. Operating system and architecture are
        among an agent's tags, and so are the names of its capabilities.
        """
        wanted_groups, wanted_tags = set(groups), set(tags)
        if ALL_SERVERS in wanted_groups:
            wanted_groups.clear()
        terms: list[str] = []
        if wanted_groups:
            terms.append(f"{GROUPS.name} IN ({', '.join(_quoted(group) for group in sorted(wanted_groups))})")
        states = await self._query(terms)
        return [
            state
            for state in states
            if wanted_tags.issubset(tags_of(state)) and (agent is None or agent in (state.id, state.name))
        ]

    async def groups(self) -> dict[str, Agents]:
        """All groups that have a member, by name, and ``all-servers``."""
        states = await self._query([])
        members: dict[str, Agents] = {ALL_SERVERS: states}
        for state in states:
            for group in state.groups:
                members.setdefault(group, []).append(state)
        return dict(sorted(members.items()))

    async def manifests(self, digests: Iterable[str]) -> dict[str, NodeManifest]:
        """The stored manifests by digest; digests that are not stored are left out."""
        return await self._manifests.find(digests)

    async def _query(self, terms: list[str]) -> Agents:
        query = " AND ".join([f"{KIND.name} = 'agent'", "ExecutionStatus = 'Running'", *terms])
        states = {state.id: state for state in await listed_agents(self._client, query)}
        return sorted(states.values(), key=lambda state: (state.name, state.id))

    async def _describe(self, agent_id: str) -> AgentState | None:
        description = await self._workflow(agent_workflow_id(agent_id))
        if description is None or description.status is not WorkflowExecutionStatus.RUNNING:
            return None
        state = _state(await description.memo())
        if state is None:
            return None
        return msgspec.structs.replace(state, load=await self._load(description))

    async def _workflow(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _load(self, description: WorkflowExecutionDescription) -> AgentLoad | None:
        for pending in description.raw_description.pending_activities:
            if pending.activity_type.name == LEASE_ACTIVITY and pending.heartbeat_details.payloads:
                details = await self._client.data_converter.decode(pending.heartbeat_details.payloads[:1], [AgentLoad])
                return details[0]
        return None


def _state(memo: Any) -> AgentState | None:
    # A workflow whose first hello was refused has no state yet.
    return msgspec.convert(memo[STATE_MEMO], AgentState) if STATE_MEMO in memo else None


def _quoted(value: str) -> str:
    """A string literal of a visibility query."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
