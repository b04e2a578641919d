"""A whole plan, for people and machines."""

from __future__ import annotations

from typing import Any

import msgspec

from waterflow_dsl.plan import Plan
from waterflow_dsl.reads import named
from waterflow_sdk.wire import PlannedApproval, PlannedJob, PlannedSecret, PlanView

from ..catalog import Snapshot
from ._approvals import approvals_of
from ._jobs import expand_job, plan_concurrency, plan_job
from ._outlook import Given, Outlook
from ._paths import critical_path, length
from ._steps import Walk


def view_of(plan: Plan, given: Given, snapshot: Snapshot, *, steps: bool = False) -> PlanView:
    """What a run of the plan would do now; with ``steps`` those of every instance that is expected to run."""
    outlook = Outlook(plan, given)
    jobs = [plan_job(job, outlook, expand_job(job, outlook, snapshot)) for job in plan.jobs]
    truncated = any(len(job.instances) < (job.instance_count or 0) for job in jobs)
    if steps:
        walk = Walk(outlook, snapshot, outlook.file_env())
        jobs = [_with_steps(plan, job, walk) for job in jobs]
        truncated = truncated or walk.left <= 0
    expected = [job for job in jobs if job.condition.expected is not False]
    return PlanView(
        name=plan.name,
        title=str(outlook.file().shown(plan.title) or plan.name),
        plan_hash=plan.hash,
        dry_run=steps,
        jobs=jobs,
        secrets=_secrets(plan, given, jobs),
        concurrency=plan_concurrency(plan.concurrency, outlook.file()),
        approvals=_approvals(plan, outlook, expected),
        critical_path=critical_path(plan.jobs, {job.id: _length(plan, job) for job in expected}),
        instances=sum(job.instance_count or 0 for job in expected),
        steps=sum(job.steps * (job.instance_count or 0) for job in expected),
        at_least=any(job.instance_count is None for job in expected),
        truncated=truncated,
    )


def _with_steps(plan: Plan, job: PlannedJob, walk: Walk) -> PlannedJob:
    if job.condition.expected is False:
        return job
    source = plan.job(job.id)
    walked = [
        msgspec.structs.replace(instance, steps=walk.instance(source, instance)) if walk.left > 0 else instance
        for instance in job.instances
    ]
    return msgspec.structs.replace(job, instances=walked)


def _length(plan: Plan, job: PlannedJob) -> int:
    """Steps one after the other: each batch of a rollout waits for the one before it."""
    source = plan.job(job.id)
    return length((*source.steps, *source.finally_)) * max(1, len(job.batches))


def _approvals(plan: Plan, outlook: Outlook, expected: list[PlannedJob]) -> list[PlannedApproval]:
    return [approval for job in expected for approval in approvals_of(plan.job(job.id), outlook)]


def _secrets(plan: Plan, given: Given, jobs: list[PlannedJob]) -> list[PlannedSecret]:
    readers: dict[str, list[str]] = {name: [] for name in sorted(plan.secrets)}
    everywhere: Any = named([plan.env, plan.title, plan.outputs], "secrets")
    for job in jobs:
        for name in {*job.secrets, *(plan.secrets if everywhere is None else everywhere)}:
            readers.setdefault(name, []).append(job.id)
    required = {name for name, declared in plan.secrets.items() if declared.required and declared.source is None}
    return [
        PlannedSecret(name=name, required=name in required, given=name in given.secrets, jobs=by)
        for name, by in readers.items()
    ]
