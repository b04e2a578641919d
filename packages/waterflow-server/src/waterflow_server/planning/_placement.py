"""The placement check at submit: what is certain of where the jobs would run."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl import CheckResult, Diagnostic
from waterflow_dsl.placement import Member, Placing, check_placings
from waterflow_dsl.plan import JobPlan, Plan, TargetPlan

from ..catalog import Snapshot
from ..engine._values import StepFailure
from ..engine.expansion import as_groups_say, concrete_target
from ._forecast import Forecast, NotKnown
from ._members import members_of
from ._outlook import Given, Outlook


def check_placement(
    result: CheckResult, snapshot: Snapshot, given: Given, *, later: bool = False
) -> tuple[Diagnostic, ...]:
    """What the agents that are there say against the file.

    Targets that are expressions are judged as far as ``given`` decides them. ``later``: the run starts another time,
    so that who is online now decides nothing.
    """
    if result.plan is None:
        return ()
    placings = _placings(result.plan, snapshot, given, later=later)
    return check_placings(result, placings, snapshot.language)


def _placings(plan: Plan, snapshot: Snapshot, given: Given, *, later: bool) -> Iterator[Placing]:
    outlook = Outlook(plan, given)
    known: dict[TargetPlan, tuple[Member, ...]] = {}
    for job in plan.jobs:
        target = None if job.call is not None else _target(job, outlook, snapshot)
        if target is None or outlook.conditions[job.id].decision == "false":
            continue
        if target not in known:
            known[target] = tuple(snapshot.members[agent.id] for agent in members_of(snapshot.agents, target))
        certain = not later and outlook.starts[job.id]
        yield Placing(job=job.id, target=target, members=known[target], certain=certain)


def target_of_job(job: JobPlan, forecast: Forecast, snapshot: Snapshot) -> TargetPlan:
    """The job's target without expressions. Raises NotKnown, and StepFailure for one that goes wrong."""
    return as_groups_say(concrete_target(job, forecast), snapshot.target_all)


def _target(job: JobPlan, outlook: Outlook, snapshot: Snapshot) -> TargetPlan | None:
    try:
        return target_of_job(job, outlook.forecast(job), snapshot)
    except (NotKnown, StepFailure):
        return None
