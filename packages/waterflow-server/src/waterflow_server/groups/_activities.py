"""The activities behind groups: what one agent is a member of, and telling all agents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import AgentState, agent_workflow_id

from ..presence import AGENT_GROUPS_ACTIVITY, AgentFacts, AgentRegistry, Assignment, fitting
from ._membership import Membership
from ._reconcile import ASSIGN_GROUPS_ACTIVITY
from ._shared import Shared
from ._store import TableStore

_AT_ONCE = 20
_BEAT = 2.0

_log = logging.getLogger("waterflow.groups")


class GroupActivities:
    """The activities, with what they read from."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._registry = AgentRegistry(client)
        self._tables = TableStore(client)
        self._membership = Shared(self._read)

    @activity.defn(name=AGENT_GROUPS_ACTIVITY)
    async def agent_groups(self, agent: AgentFacts) -> Assignment:
        """The groups that the server gives an agent; as many as fit."""
        version, membership = await self._membership.get()
        return Assignment(groups=_assigned(membership, agent), version=version)

    async def _read(self) -> tuple[int, Membership]:
        table = await self._tables.read()
        return table.version, Membership(table.specs.values())

    @activity.defn(name=ASSIGN_GROUPS_ACTIVITY)
    async def assign_groups(self) -> int:
        """Tells every agent its groups whose groups are not what they should be. Answers the version of the groups."""
        version, membership = await self._read()
        limit = asyncio.Semaphore(_AT_ONCE)

        async def tell(agent: AgentState) -> None:
            facts = AgentFacts.shown(agent)
            groups = _assigned(membership, facts)
            if sorted({*facts.groups, *groups}) != agent.groups:
                async with limit:
                    await self._assign(agent, Assignment(groups=groups, version=version))

        beating = asyncio.create_task(_beat())
        try:
            agents = await self._registry.list()
            ends = await asyncio.gather(*(tell(agent) for agent in agents), return_exceptions=True)
        finally:
            beating.cancel()
        # All are told before the first failure counts: the next attempt then has only those left that failed.
        for end in ends:
            if end is not None:
                raise end
        return version

    async def _assign(self, agent: AgentState, assignment: Assignment) -> None:
        handle = self._client.get_workflow_handle(agent_workflow_id(agent.id))
        try:
            await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
                "assign", args=[assignment.groups, assignment.version]
            )
        except WorkflowUpdateFailedError as error:
            # One agent that cannot take its groups must not keep the others from theirs.
            _log.warning("agent %s does not take its groups: %s", agent.name, error.cause)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def _beat() -> None:
    """Says that this server lives, however long one agent takes."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(_BEAT)


def _assigned(membership: Membership, agent: AgentFacts) -> list[str]:
    groups = membership.assigned(agent)
    kept = fitting(agent.groups, groups)
    if len(kept) < len(groups):
        left = ", ".join(group for group in groups if group not in kept)
        _log.warning("agent %s is in more groups than can be kept; left out: %s", agent.name, left)
    return kept


def group_activities(client: Client) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    activities = GroupActivities(client)
    return [activities.agent_groups, activities.assign_groups]
