"""From a job to its instances, with the members that its target has when it starts."""

from __future__ import annotations

from waterflow_dsl.plan import JobPlan, TargetPlan

from ._expansion import Host, Instance, combine, elements, host_of
from ._placement import find_agents, nobody_online, target_query
from ._values import StepFailure, Values


async def expand(job: JobPlan, target: TargetPlan, values: Values) -> list[Instance]:
    """Every instance of the job, in stable order, with names that are unique in the run."""
    found = elements(job, values)
    return combine(job.id, found, await _hosts(target))


async def _hosts(target: TargetPlan) -> list[Host]:
    if not target.all or target.agent is not None:
        return [(None, "")]
    members = await find_agents(target_query(target))
    if not members:
        raise StepFailure("no-agent", nobody_online(target, members))
    return [host_of(member) for member in members]
