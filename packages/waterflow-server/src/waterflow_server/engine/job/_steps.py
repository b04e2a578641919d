"""The steps of a job as a whole: tried again where the job has a retry policy, and what remains of them at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from temporalio import workflow

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import AgentRef, ErrorInfo, State

from .._policy import retry_policy
from ..memory._course import Course
from ..memory._records import StepRecord
from ..nodes._control import StopJob
from ..steps._context import STOPPED, JobContext, Scope
from ..steps._steps import StepRunner


async def run_main_steps(runner: StepRunner, plan: JobPlan, course: Course, begun: Callable[[Scope], None]) -> Scope:
    """Run the job's steps; all of them again, with a fresh environment, as its retry policy says. ``begun`` hears of
    the scope of each turn.
    """
    job = runner.job
    if plan.retry and course.retry is None:
        course.retry = retry_policy(plan.retry, job.values(Scope()))
    while True:
        scope = Scope()
        begun(scope)
        await _once(runner, plan, scope, course.lists[0])
        if course.due is None and (course.conclusion is not None or not _again(course, scope, job)):
            return scope
        if not await job.sleep_until(course.due or 0.0):
            return scope
        job.begin()
        course.lists[:], course.due = [[]], None


def _again(course: Course, scope: Scope, job: JobContext) -> bool:
    """Whether the steps run once more; then it is set when."""
    course.turns += 1
    if course.retry is None or not scope.failed or job.stop.cancelled:
        return False
    error = first_error(course.lists[0], job.agent) or ErrorInfo(code="", message="")
    if not course.retry.worth_another(error.code, error.details.get("exit_code"), course.turns):
        return False
    course.due = workflow.time() + course.retry.delay(course.turns)
    return True


async def _once(runner: StepRunner, plan: JobPlan, scope: Scope, records: list[StepRecord]) -> None:
    try:
        await runner.run_list(plan.steps, scope, records)
    except StopJob as stop:
        _skip(records, str(stop) or STOPPED, deep=runner.job.roll.bounded)


def _skip(records: Iterable[StepRecord], reason: str, *, deep: bool) -> None:
    """After ``stop``: what has not begun never does, and the blocks around it have done what they should."""
    for record in records:
        if record.state is State.PENDING:
            record.end(State.SKIPPED, workflow.now(), reason=reason)
        elif deep and not record.state.ended:
            _skip(record.children(), reason, deep=True)
            record.end(State.SUCCESS, workflow.now())


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
    return next((error for child in record.children() if (error := _innermost(child))), None)


def waiting(records: Iterable[StepRecord]) -> StepRecord | None:
    """The first step that waits for somebody or something outside."""
    return next((found for record in records if (found := record.waiting())), None)


def job_error(records: list[StepRecord], job: JobContext) -> ErrorInfo | None:
    """What the job shows as its error; a job that was stopped shows why it was stopped instead."""
    return None if job.stop.cancelled else first_error(records, job.agent)
