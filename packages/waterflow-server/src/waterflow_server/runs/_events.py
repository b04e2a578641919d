"""The events of a run, derived from its state tree. Pure: the same tree gives the same events with the same ids.

So there is nothing to write, to keep or to lose: any server tells any part of a run's story at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from waterflow_sdk.wire import (
    AgentRef,
    AttemptState,
    EventKind,
    JobState,
    RunEvent,
    RunState,
    State,
    StepState,
)

from ._timeline import Change, all_steps, begun, job_changes, kept, run_changes, step_changes

_ANSWERS = {"rejected": State.FAILED, "approval-timeout": State.TIMED_OUT}


class Told(msgspec.Struct, frozen=True):
    """An event, and the moment, by Temporal's clock, from which on it could be told; None when that is not known.

    The two differ where an agent's clock or a long way back is in between: how an attempt ended.
    """

    event: RunEvent
    known: datetime | None


def events_of(run: RunState) -> list[RunEvent]:
    """Everything that has happened so far, in the order of time."""
    told = [*run_events(run), *(each for job in run.jobs for each in job_events(run, job))]
    return [each.event for each in in_order(told)]


def in_order(told: Sequence[Told]) -> list[Told]:
    """By time; at the same moment the whole begins before its parts, as given."""
    return sorted(told, key=lambda each: each.event.time)


def run_events(run: RunState) -> Iterator[Told]:
    """The run's own events."""
    for change in run_changes(run):
        yield _told(EventKind.RUN, "", run.title or run.name, change, data=_code(run) if change.state.ended else {})


def job_events(run: RunState, job: JobState) -> Iterator[Told]:
    """The events of one job instance, its steps and their attempts."""
    for change in job_changes(run, job):
        agent = None if change.state is State.QUEUED else job.agent
        data = _code(job) if change.state.ended else {}
        yield _told(EventKind.JOB, job.instance, job.name, change, agent=agent, data=data)
    if job.kept_from is None:
        since = begun(run, job)
        for step in all_steps(job.steps):
            yield from _step_events(job, step, since)


def _step_events(job: JobState, step: StepState, since: datetime | None) -> Iterator[Told]:
    path = f"{job.instance}/{step.path}"
    for change in step_changes(step, since):
        data = _code(step) if change.state.ended else {}
        yield _told(EventKind.STEP, path, step.name, change, agent=job.agent, data=data)
    if kept(step, since):
        return
    if step.node == "approval":
        yield from _approval_events(path, step)
    following = [each.started for each in step.attempts[1:]]
    for attempt, known in zip(step.attempts, [*following, step.ended], strict=False):
        yield from _attempt_events(path, step.name, attempt, known)


def _attempt_events(path: str, name: str, attempt: AttemptState, known: datetime | None) -> Iterator[Told]:
    """Its times become those of its agent's clock when it has ended, so they are no part of its ids."""
    place = f"{path}#{attempt.number}"
    more: dict[str, Any] = {"attempt": attempt.number, "agent": attempt.agent, "path": path, "name": name}
    if attempt.started is not None:
        begin = Change(attempt.started, State.RUNNING)
        yield _attempt_told(f"{place}:began", begin, attempt.started, more, {})
    if attempt.ended is not None and attempt.state.ended:
        why = attempt.error.message if attempt.error else attempt.reason
        data = _code(attempt)
        if attempt.exit_code is not None:
            data["exit_code"] = attempt.exit_code
        yield _attempt_told(f"{place}:ended", Change(attempt.ended, attempt.state, why), known, more, data)


def _attempt_told(id: str, change: Change, known: datetime | None, more: dict[str, Any], data: dict[str, Any]) -> Told:
    event = RunEvent(
        id=id,
        time=change.time,
        kind=EventKind.ATTEMPT,
        state=change.state,
        reason=change.reason,
        data=data,
        **more,
    )
    return Told(event, known)


def _approval_events(path: str, step: StepState) -> Iterator[Told]:
    for wait in step.waits:
        asked = Change(wait.since, State.WAITING, wait.reason)
        yield _told(EventKind.APPROVAL, path, step.name, asked)
    if step.waits and step.ended is not None:
        state = step.state
        if step.error is not None:
            state = _ANSWERS.get(step.error.code, step.state)
        data = {name: step.outputs[name] for name in ("by", "comment", "inputs") if step.outputs.get(name)}
        answered = Change(step.waits[-1].until or step.ended, state, step.error.message if step.error else step.reason)
        yield _told(EventKind.APPROVAL, path, step.name, answered, data=data)


def _told(
    kind: EventKind,
    path: str,
    name: str,
    change: Change,
    *,
    agent: AgentRef | None = None,
    data: dict[str, Any] | None = None,
) -> Told:
    event = RunEvent(
        id=f"{kind.value}:{path}@{micros(change.time)}:{change.state.value}",
        time=change.time,
        kind=kind,
        state=change.state,
        path=path,
        name=name,
        reason=change.reason,
        agent=agent,
        data=data or {},
    )
    return Told(event, change.time)


def _code(thing: RunState | JobState | StepState | AttemptState) -> dict[str, Any]:
    return {"code": thing.error.code} if thing.error is not None else {}


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = datetime.resolution
