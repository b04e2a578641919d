"""One job of a plan: its instances, its hosts now, its batches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from waterflow_dsl.placement import describe
from waterflow_dsl.plan import ConcurrencyPlan, JobPlan, TargetPlan
from waterflow_dsl.reads import named
from waterflow_sdk.wire import (
    AgentRef,
    AgentState,
    PlannedConcurrency,
    PlannedHost,
    PlannedInstance,
    PlannedJob,
)

from .._away import away
from ..catalog import Snapshot
from ..engine._values import StepFailure
from ..engine.expansion import Host, Instance, batch_sizes, combine, elements, host_of, ranked, too_many
from ._forecast import Forecast, NotKnown
from ._members import members_of
from ._outlook import Outlook
from ._paths import all_steps
from ._placement import target_of_job

MAX_INSTANCES = 1_000
"""Instances of one job that are listed; all are counted."""


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    """A job's target and instances, as far as they are known; ``unknown`` says what is not, and why."""

    target: TargetPlan | None
    members: list[AgentState]
    instances: list[Instance]
    count: int | None
    unknown: str = ""


def expand_job(job: JobPlan, outlook: Outlook, snapshot: Snapshot) -> Expansion:
    """What the interpreter would make of the job now."""
    forecast = outlook.forecast(job)
    members: list[AgentState] = []
    target: TargetPlan | None = None
    try:
        target = target_of_job(job, forecast, snapshot) if job.call is None else TargetPlan()
        members = members_of(snapshot.agents, target) if job.call is None else []
        found = elements(job, forecast)
    except NotKnown as unknown:
        return _unknown(target, members, f"depends on {unknown}")
    except StepFailure as failure:
        return _unknown(target, members, failure.error.message)
    hosts = _hosts(target, members)
    if many := too_many(job, len(found), len(members) if target.all else 0):
        return _unknown(target, members, many.error.message)
    listed = found[: max(1, MAX_INSTANCES // max(1, len(hosts)))]
    instances = combine(job.id, listed, hosts)[:MAX_INSTANCES]
    return Expansion(target=target, members=members, instances=instances, count=len(found) * len(hosts))


def plan_job(job: JobPlan, outlook: Outlook, expansion: Expansion) -> PlannedJob:
    """The job for people, without the steps of its instances."""
    forecast = outlook.forecast(job)
    target = expansion.target
    environment = job.environment
    return PlannedJob(
        id=job.id,
        name=str(forecast.shown(job.name) or job.id),
        condition=outlook.conditions[job.id],
        needs=list(job.needs),
        line=job.line,
        target="" if job.call is not None else describe(target) if target is not None else "not known yet",
        all=bool(target is not None and target.all),
        hosts=[_host(member) for member in expansion.members],
        instances=[_instance(each, expansion) for each in expansion.instances],
        instance_count=expansion.count,
        unknown=expansion.unknown,
        batches=batches(job, expansion),
        max_parallel=_max_parallel(job, forecast),
        steps=sum(1 for _ in all_steps((*job.steps, *job.finally_))),
        secrets=secrets_of(job, outlook),
        concurrency=plan_concurrency(job.concurrency, forecast),
        environment="" if environment is None else str(forecast.shown(environment.name)),
        calls="" if job.call is None else str(forecast.shown(job.call.workflow)),
    )


def batches(job: JobPlan, expansion: Expansion) -> list[list[str]]:
    """The hosts of a rollout, batch by batch, as the interpreter would cut them now."""
    if job.rollout is None or expansion.target is None or not expansion.members:
        return []
    try:
        names = [member.name for member in ranked(expansion.members, job.rollout.order)]
    except StepFailure:
        return []
    found: list[list[str]] = []
    for size in batch_sizes(job.rollout.batches, len(names)):
        found.append(names[:size])
        names = names[size:]
    return found


def plan_concurrency(plan: ConcurrencyPlan | None, forecast: Forecast) -> PlannedConcurrency | None:
    """A concurrency group by name, where the name is known."""
    if plan is None:
        return None
    try:
        return PlannedConcurrency(group=forecast.text(plan.group, "concurrency.group"), on_conflict=plan.on_conflict)
    except (NotKnown, StepFailure):
        return PlannedConcurrency(group=str(forecast.shown(plan.group)), on_conflict=plan.on_conflict, known=False)


def secrets_of(job: JobPlan, outlook: Outlook) -> list[str]:
    """The secrets that the job reads; all of the file where it reads them as a whole."""
    names = named(job, "secrets")
    inherits = job.call is not None and job.call.inherit_secrets
    return sorted(outlook.secrets if names is None or inherits else names)


def _unknown(target: TargetPlan | None, members: list[AgentState], why: str) -> Expansion:
    return Expansion(target=target, members=members, instances=[], count=None, unknown=why)


def _hosts(target: TargetPlan, members: Sequence[AgentState]) -> list[Host]:
    if not target.all or target.agent is not None:
        return [(None, "")]
    return [host_of(member) for member in members]


def _host(member: AgentState) -> PlannedHost:
    ref = AgentRef(id=member.id, name=member.name)
    return PlannedHost(agent=ref, status=member.status, reason=away(member) and member.reason, since=member.since)


def _instance(instance: Instance, expansion: Expansion) -> PlannedInstance:
    only = expansion.members[0] if len(expansion.members) == 1 else None
    return PlannedInstance(
        name=instance.name,
        agent=instance.agent or (AgentRef(id=only.id, name=only.name) if only else None),
        matrix=instance.matrix,
        item=instance.item,
        index=instance.index,
        offline=instance.offline,
    )


def _max_parallel(job: JobPlan, forecast: Forecast) -> int | None:
    source = job.strategy or job.for_each
    if source is None or source.max_parallel in (None, 0):
        return None
    try:
        return forecast.count(source.max_parallel, "max-parallel")
    except (NotKnown, StepFailure):
        return None
