"""From a job to its instances, with the members that its target has when it starts."""

from __future__ import annotations

from temporalio import workflow

from waterflow_dsl.plan import JobPlan, TargetPlan
from waterflow_sdk.wire import AgentState

from .._agents import find_agents, nobody_online, target_query
from .._values import StepFailure, Values
from ..expansion._expansion import Instance, combine, elements, host_of, too_many

_PATCH_MANY = "2026-11-most-instances"


async def expand(job: JobPlan, target: TargetPlan, values: Values) -> tuple[list[Instance], list[AgentState]]:
    """Every instance of the job, in stable order, with names that are unique in the run; and the members that it goes
    to, none where it is for any one of them.
    """
    found = elements(job, values)
    members = await _members(target)
    if (many := too_many(job, len(found), len(members))) and workflow.patched(_PATCH_MANY):
        raise many
    return combine(job.id, found, [host_of(member) for member in members] or [(None, "")]), members


async def _members(target: TargetPlan) -> list[AgentState]:
    if not target.all or target.agent is not None:
        return []
    members = await find_agents(target_query(target))
    if not members:
        raise StepFailure("no-agent", nobody_online(target, members))
    return members
