"""Who has to agree on the way through a plan."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl.plan import JobPlan, StepPlan, UsesKind
from waterflow_sdk.wire import PlannedApproval

from ..engine._json import is_list
from ._forecast import Forecast
from ._outlook import Outlook
from ._paths import all_steps


def approvals_of(job: JobPlan, outlook: Outlook) -> Iterator[PlannedApproval]:
    """The approval of the job's environment, those between its batches, and those among its steps."""
    forecast = outlook.forecast(job)
    environment, rollout = job.environment, job.rollout
    if environment is not None and environment.approval:
        yield PlannedApproval(
            job=job.id,
            environment=str(forecast.shown(environment.name)),
            approvers=list(environment.approvers),
            timeout=environment.timeout,
        )
    if rollout is not None and rollout.approval_between:
        yield PlannedApproval(job=job.id, message="between the batches of the rollout")
    for step in all_steps((*job.steps, *job.finally_)):
        if step.uses.kind is UsesKind.CONTROL and step.uses.name == "approval":
            yield _of_step(job.id, step, forecast)


def _of_step(job: str, step: StepPlan, forecast: Forecast) -> PlannedApproval:
    approvers = forecast.shown(step.inputs.get("approvers"))
    return PlannedApproval(
        job=job,
        step=step.path,
        message=str(forecast.shown(step.inputs.get("message")) or ""),
        approvers=[str(each) for each in approvers] if is_list(approvers) else [],
        timeout=step.inputs.get("timeout") if isinstance(step.inputs.get("timeout"), (int, float, str)) else None,
    )
