"""When something was in which state: the times in the state tree, read as changes. Pure.

A thing (run, job instance, step, attempt) begins, waits and pauses in between, and ends. Live events are these changes
as they become known; the state at a moment of the past is the last change before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from waterflow_sdk.wire import Interval, JobState, RunState, State, StepState


class Change(msgspec.Struct, frozen=True):
    """Something became ``state`` at ``time``."""

    time: datetime
    state: State
    reason: str = ""


class Phase(msgspec.Struct, frozen=True):
    """What something shows in an interval, in place of its plain state. Phases of a higher ``rank`` cover others."""

    rank: int
    state: State
    interval: Interval


_LINE, _WAIT, _PAUSE = 0, 1, 2


def run_changes(run: RunState) -> list[Change]:
    """Queued at the submit, then as its jobs go on. Empty where no time is known."""
    plain = [Change(run.submitted, State.QUEUED)] if run.submitted else []
    if run.started is not None:
        plain.append(Change(run.started, State.RUNNING))
    phases = [_phase(_PAUSE, State.PAUSED, pause) for pause in run.pauses]
    for job in run.jobs:
        phases += [_told(job.instance, wait) for wait in _waits(job.steps, begun(run, job))]
    return _changes(plain, phases, _end(run.ended, run.state, _why(run)))


def job_changes(run: RunState, job: JobState) -> list[Change]:
    """Queued, then running on its agent; a result that a retry kept is there from the run's beginning."""
    since = begun(run, job)
    if job.kept_from is not None:
        return [Change(since, job.state, f"kept from run {job.kept_from}")] if since else []
    plain = [Change(job.queued, State.QUEUED)] if job.queued else []
    if job.started is not None:
        plain.append(Change(job.started, State.RUNNING))
    phases = [_phase(_PAUSE, State.PAUSED, pause) for pause in job.pauses]
    phases += [_phase(_LINE, State.QUEUED, wait) for wait in job.waits if _before(wait.since, job.started)]
    phases += [_phase(_WAIT, State.WAITING, wait) for wait in _waits(job.steps, since)]
    return _changes(plain, phases, _end(job.ended or run.ended, job.state, _why(job)))


def step_changes(step: StepState, since: datetime | None) -> list[Change]:
    """Running, waiting in between, its end. One that ended before its job was there since ``since`` was kept."""
    if since is not None and step.ended is not None and step.ended < since:
        return [Change(since, step.state, "kept from the run that this one retries")]
    plain = [Change(step.started, State.RUNNING)] if step.started else []
    phases = [_phase(_WAIT, State.WAITING, wait) for wait in step.waits]
    return _changes(plain, phases, _end(step.ended, step.state, _why(step)))


def begun(run: RunState, job: JobState) -> datetime | None:
    """Since when the job instance is there: in line, or as a result that was kept."""
    if job.kept_from is not None:
        return run.started or run.submitted
    return job.queued or job.started


def kept(step: StepState, since: datetime | None) -> bool:
    """Whether an earlier run has done the step."""
    return since is not None and step.ended is not None and step.ended < since


def all_steps(steps: Sequence[StepState]) -> Iterator[StepState]:
    """Every step, each block before what is in it."""
    for step in steps:
        yield step
        yield from all_steps(step.steps)


def _waits(steps: Sequence[StepState], since: datetime | None) -> Iterator[Interval]:
    for step in all_steps(steps):
        yield from (wait for wait in step.waits if since is None or wait.since >= since)


def _changes(plain: Sequence[Change], phases: Sequence[Phase], end: Change | None) -> list[Change]:
    """The plain states, covered by the phases; neither goes beyond the end."""
    found: list[Change] = []
    for change in _covered(plain, phases, end.time if end is not None else None):
        if end is not None and change.time > end.time:
            break
        if not found or (found[-1].state, found[-1].reason) != (change.state, change.reason):
            found.append(change)
    return [*found, end] if end is not None else found


def _covered(plain: Sequence[Change], phases: Sequence[Phase], end: datetime | None) -> Iterator[Change]:
    """What shows from each moment on at which anything begins or ends; a phase that lasts to the end stays."""
    edges: dict[datetime, tuple[list[Change], list[int], list[int]]] = {}
    for change in plain:
        edges.setdefault(change.time, ([], [], []))[0].append(change)
    for number, phase in enumerate(phases):
        edges.setdefault(phase.interval.since, ([], [], []))[1].append(number)
        if phase.interval.until is not None and _before(phase.interval.until, end):
            edges.setdefault(phase.interval.until, ([], [], []))[2].append(number)
    base: Change | None = None
    on: dict[int, Phase] = {}
    for time in sorted(edges):
        bases, begin, over = edges[time]
        base = bases[-1] if bases else base
        on.update((number, phases[number]) for number in begin)
        for number in over:
            on.pop(number, None)
        if base is not None:
            top = max(on.values(), key=lambda phase: phase.rank, default=None)
            yield Change(time, top.state, top.interval.reason) if top else Change(time, base.state, base.reason)


def _phase(rank: int, state: State, interval: Interval) -> Phase:
    return Phase(rank, state, interval)


def _told(instance: str, wait: Interval) -> Phase:
    return _phase(_WAIT, State.WAITING, msgspec.structs.replace(wait, reason=f"{instance}: {wait.reason}"))


def _before(moment: datetime, limit: datetime | None) -> bool:
    return limit is None or moment < limit


def _end(ended: datetime | None, state: State, reason: str) -> Change | None:
    return Change(ended, state, reason) if ended is not None and state.ended else None


def _why(thing: RunState | JobState | StepState) -> str:
    return thing.error.message if thing.error is not None else thing.reason
