"""Time travel: the state tree as it was at a moment of the past, from the times in the present one. Pure.

What had not begun is pending, what came later is left out. Steps of a job that has tried all its steps again are known
of its last turn only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from waterflow_sdk.wire import AttemptState, Interval, JobState, RunState, State, StepState

from ._timeline import Change, begun, job_changes, kept, run_changes, step_changes


def as_of(run: RunState, at: datetime) -> RunState:
    """The tree as it was at ``at``, of which all that is later is gone. Raises ValueError before the submit."""
    if run.submitted is not None and at < run.submitted:
        raise ValueError(f"run {run.id} was submitted only at {run.submitted.isoformat()}")
    if _is_over(run.ended, at):
        return run
    now = _last(run_changes(run), at)
    return msgspec.structs.replace(
        run,
        state=now.state,
        reason=now.reason,
        started=_past(run.started, at),
        ended=None,
        error=None,
        outputs={},
        pauses=_intervals(run.pauses, at),
        jobs=[_job(run, job, at) for job in run.jobs],
    )


def _job(run: RunState, job: JobState, at: datetime) -> JobState:
    since = begun(run, job)
    if _is_over(since if job.kept_from else job.ended, at):
        return job
    now = _last(job_changes(run, job), at)
    running = job.started is not None and job.started <= at
    chosen = job.queued is None or job.started == job.queued  # a host of `target: all` is known before its turn
    return msgspec.structs.replace(
        job,
        state=now.state,
        reason=now.reason,
        agent=job.agent if running or chosen else None,
        started=_past(job.started, at),
        queued=_past(job.queued, at),
        ended=None,
        error=None,
        outputs={},
        kept_from=None,
        waits=_intervals(job.waits, at),
        pauses=_intervals(job.pauses, at),
        steps=[_step(step, since, at) for step in job.steps] if running else [],
    )


def _step(step: StepState, since: datetime | None, at: datetime) -> StepState:
    if _is_over(since if kept(step, since) else step.ended, at):
        return step
    now = _last(step_changes(step, since), at)
    return msgspec.structs.replace(
        step,
        state=now.state,
        conclusion=None,
        reason=now.reason,
        started=_past(step.started, at),
        ended=None,
        outputs={},
        error=None,
        waits=_intervals(step.waits, at),
        attempts=[_attempt(each, at) for each in step.attempts if each.started is None or each.started <= at],
        steps=_children(step.steps, since, at),
    )


def _children(steps: Sequence[StepState], since: datetime | None, at: datetime) -> list[StepState]:
    return [_step(step, since, at) for step in steps]


def _attempt(attempt: AttemptState, at: datetime) -> AttemptState:
    if _is_over(attempt.ended, at):
        return attempt
    return msgspec.structs.replace(
        attempt, state=State.RUNNING, ended=None, exit_code=None, error=None, log=None, reason=""
    )


def _is_over(ended: datetime | None, at: datetime) -> bool:
    return ended is not None and ended <= at


def _past(moment: datetime | None, at: datetime) -> datetime | None:
    return moment if moment is not None and moment <= at else None


def _intervals(intervals: Sequence[Interval], at: datetime) -> list[Interval]:
    return [msgspec.structs.replace(each, until=_past(each.until, at)) for each in intervals if each.since <= at]


def _last(changes: Sequence[Change], at: datetime) -> Change:
    past = [change for change in changes if change.time <= at]
    return past[-1] if past else Change(at, State.PENDING)
