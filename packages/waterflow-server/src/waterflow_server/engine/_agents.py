"""The agents that a target means: asked of the registry, and why nobody of them can take a job."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from waterflow_dsl.plan import TargetPlan
from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, AgentRef, AgentState, AgentStatus

from ..presence import FIND_AGENTS_ACTIVITY, AgentQuery


async def find_agents(query: AgentQuery) -> list[AgentState]:
    """The agents a query means, offline ones included, ordered by name."""
    return await workflow.execute_activity(
        FIND_AGENTS_ACTIVITY,
        query,
        result_type=list[AgentState],
        task_queue=ORCHESTRATOR_QUEUE,
        start_to_close_timeout=timedelta(seconds=10),
    )


async def is_online(agent: AgentRef) -> bool:
    """Whether the agent holds its lease now."""
    return any(found.status is not AgentStatus.OFFLINE for found in await find_agents(AgentQuery(agent=agent.id)))


def describe_target(target: TargetPlan) -> str:
    """The target in words."""
    if target.agent is not None:
        return f"agent {target.agent}"
    groups = " or ".join(target.groups)
    tags = ", ".join(target.tags)
    if groups and tags:
        return f"group {groups} with tags {tags}"
    return f"group {groups}" if groups else f"tags {tags}"


def target_query(target: TargetPlan) -> AgentQuery:
    """The registry query for a target."""
    return AgentQuery(groups=list(target.groups), tags=list(target.tags), agent=target.agent)


def nobody_online(target: TargetPlan, members: list[AgentState]) -> str:
    """Why nobody can take the job, in words."""
    where = describe_target(target)
    if not members:
        return f"no agent for {where}: nobody has registered there"
    shown = ", ".join(_status(member) for member in members[:5])
    more = f" and {len(members) - 5} more" if len(members) > 5 else ""
    return f"no healthy agent for {where}: {shown}{more}"


def _status(member: AgentState) -> str:
    since = f" since {member.since:%H:%M} UTC" if member.since is not None else ""
    return f"{member.name} {member.status.value}{since}"
