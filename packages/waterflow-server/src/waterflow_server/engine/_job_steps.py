"""The steps of a job as a whole: tried again where the job has a retry policy, and what remains of them at the end."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import AgentRef, ErrorInfo, State

from ._control import StopJob
from ._job_context import JobContext, Scope
from ._policy import retry_policy
from ._records import StepRecord
from ._steps import StepRunner


async def run_main_steps(
    runner: StepRunner, plan: JobPlan, records: list[StepRecord], begun: Callable[[Scope], None]
) -> Scope:
    """Run the job's steps; all of them again, with a fresh environment, as its retry policy says. ``begun`` hears of
    the scope of each turn.
    """
    job = runner.job
    policy = retry_policy(plan.retry, job.values(Scope())) if plan.retry else None
    spent = 0
    while True:
        scope = Scope()
        begun(scope)
        records.clear()
        await _once(runner, plan, scope, records)
        spent += 1
        if policy is None or not scope.failed or job.stop.cancelled:
            return scope
        error = first_error(records, job.agent) or ErrorInfo(code="", message="")
        if not policy.worth_another(error.code, error.details.get("exit_code"), spent):
            return scope
        if not await job.stop.sleep(policy.delay(spent)):
            return scope
        job.begin()


async def _once(runner: StepRunner, plan: JobPlan, scope: Scope, records: list[StepRecord]) -> None:
    try:
        await runner.run_list(plan.steps, scope, records)
    except StopJob as stop:
        for record in records:
            if record.state is State.PENDING:
                record.end(State.SKIPPED, workflow.now(), reason=str(stop) or "the job was stopped before it")


def first_error(records: list[StepRecord], agent: AgentRef | None) -> ErrorInfo | None:
    """The error of the first step that failed, naming step and host."""
    for record in records:
        if record.conclusion in (State.FAILED, State.TIMED_OUT):
            inner = _innermost(record) or ErrorInfo(code="step-failed", message=record.state.value)
            where = f"step {record.name!r}" + (f" on {agent.name}" if agent else "")
            return ErrorInfo(
                code=inner.code, message=f"{where}: {inner.message}", details={**inner.details, "step": record.path}
            )
    return None


def _innermost(record: StepRecord) -> ErrorInfo | None:
    if record.error is not None:
        return record.error
    return next((error for child in record.children if (error := _innermost(child))), None)


def waiting(records: list[StepRecord]) -> StepRecord | None:
    """The first step that waits for somebody or something outside."""
    return next((found for record in records if (found := record.waiting())), None)


def job_error(records: list[StepRecord], job: JobContext) -> ErrorInfo | None:
    """What the job shows as its error; a job that was stopped shows why it was stopped instead."""
    return None if job.stop.cancelled else first_error(records, job.agent)
