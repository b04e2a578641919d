"""State trees with times, written in seconds after ten o'clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from waterflow_sdk.wire import AgentRef, AttemptState, Interval, JobState, RunState, State, StepState

TEN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
WEB = AgentRef(id="a1", name="web-01")


def at(second: float | None) -> datetime | None:
    """So many seconds after ten."""
    return None if second is None else TEN + timedelta(seconds=second)


def moment(second: float) -> datetime:
    """The same, where there is one for sure."""
    return TEN + timedelta(seconds=second)


def wait(since: float, until: float | None, reason: str = "approval: go?") -> Interval:
    return Interval(since=moment(since), until=at(until), reason=reason)


def attempt(number: int, started: float, ended: float | None, state: State = State.SUCCESS) -> AttemptState:
    return AttemptState(number=number, state=state, agent=WEB, started=at(started), ended=at(ended))


def step(
    state: State, started: float | None = None, ended: float | None = None, path: str = "steps[0]", **more: Any
) -> StepState:
    return StepState(path=path, name="s", state=state, started=at(started), ended=at(ended), **more)


def job(state: State, queued: float | None, started: float | None, ended: float | None, **more: Any) -> JobState:
    times: dict[str, Any] = {"queued": at(queued), "started": at(started), "ended": at(ended)}
    return JobState(id="a", instance="a", name="a", state=state, agent=WEB, **times, **more)


def run(state: State, started: float | None, ended: float | None, *jobs: JobState, **more: Any) -> RunState:
    times: dict[str, Any] = {"submitted": at(0), "started": at(started), "ended": at(ended)}
    return RunState(id="r1", name="n", state=state, jobs=list(jobs), **times, **more)
