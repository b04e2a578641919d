"""Somebody who looks at a run all the time, through the API alone, and holds every look against the rules of states."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from waterflow_sdk.client import Run
from waterflow_sdk.wire import EventKind, JobState, RunEvent, RunState, State, StepState

LIVING = frozenset({State.PENDING, State.QUEUED, State.RUNNING, State.PAUSED, State.WAITING})
ENDED = frozenset(State) - LIVING

NEXT = {
    State.PENDING: frozenset(State),
    State.QUEUED: frozenset({State.RUNNING, State.PAUSED, State.WAITING}) | ENDED,
    State.RUNNING: frozenset({State.PAUSED, State.WAITING}) | ENDED,
    State.PAUSED: frozenset({State.QUEUED, State.RUNNING, State.WAITING}) | ENDED,
    State.WAITING: frozenset({State.RUNNING, State.PAUSED}) | ENDED,
    **{state: frozenset[State]() for state in ENDED},
}
"""What a run, job instance, step or attempt may become; between two looks it may have been several of them."""


@dataclass
class Watched:
    """What was seen. ``wrong`` are the rules that were broken, in words; none is allowed."""

    looks: int = 0
    wrong: list[str] = field(default_factory=list[str])
    seen: dict[str, list[State]] = field(default_factory=dict[str, list[State]])
    events: list[RunEvent] = field(default_factory=list[RunEvent])

    def look(self, run: RunState) -> None:
        """Hold one look against the rules."""
        self.looks += 1
        self.wrong += [f"look {self.looks}: {each}" for each in (*_contradictions(run), *self._steps_back(run))]

    def _steps_back(self, run: RunState) -> Iterator[str]:
        for path, state in states(run):
            before = self.seen.setdefault(path, [])
            if before and before[-1] is state:
                continue
            if before and not reachable(before[-1], state):
                yield f"{path or 'run'} became {state.value} after {before[-1].value}"
            before.append(state)


def reachable(start: State, end: State) -> bool:
    """Whether something may become ``end`` by any way from ``start``."""
    found = set(NEXT[start])
    while more := {after for each in found for after in NEXT[each]} - found:
        found |= more
    return end in found


def states(run: RunState) -> Iterator[tuple[str, State]]:
    """Path and state of everything in the tree."""
    yield "", run.state
    for job in run.jobs:
        yield job.instance, job.state
        for step in all_steps(job.steps):
            yield f"{job.instance}/{step.path}", step.state
            for attempt in step.attempts:
                yield f"{job.instance}/{step.path}#{attempt.number}", attempt.state


def all_steps(steps: list[StepState]) -> Iterator[StepState]:
    """Every step at any depth."""
    for step in steps:
        yield step
        yield from all_steps(step.steps)


def _contradictions(run: RunState) -> Iterator[str]:
    yield from _times("run", run.submitted, run.started, run.ended)
    if run.state in ENDED:
        yield from (f"run {run.state.value} with {job.instance} {job.state.value}" for job in run.jobs if _lives(job))
    for job in run.jobs:
        yield from _times(job.instance, job.queued, job.started, job.ended)
        for step in job.steps:
            yield from _in_step(job.instance, step, over=job.state in ENDED)


def _in_step(where: str, step: StepState, *, over: bool) -> Iterator[str]:
    path = f"{where}/{step.path}"
    yield from _times(path, step.started, step.ended)
    if over and step.state in LIVING:
        yield f"{path} {step.state.value} in what has ended"
    ended = over or step.state in ENDED
    for attempt in step.attempts:
        yield from _times(f"{path}#{attempt.number}", attempt.started, attempt.ended)
        if ended and attempt.state in LIVING:
            yield f"{path}#{attempt.number} {attempt.state.value} in what has ended"
    for child in step.steps:
        yield from _in_step(where, child, over=ended)


def _lives(job: JobState) -> bool:
    return job.state in LIVING


def _times(what: str, *times: datetime | None) -> Iterator[str]:
    known = [time for time in times if time is not None]
    if known != sorted(known):
        yield f"{what}: times go back: {', '.join(map(str, known))}"


@asynccontextmanager
async def watching(run: Run):
    """Look at the run and hear its events until both are at their end; then events and tree must say the same."""
    watched = Watched()
    tasks = [asyncio.create_task(_look(run, watched)), asyncio.create_task(_hear(run, watched))]
    try:
        yield watched
        async with asyncio.timeout(300):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    final = await run.status("full")
    watched.wrong += disagreements(final, watched.events)


async def _look(run: Run, watched: Watched) -> None:
    while True:
        state = await run.status("full")
        watched.look(state)
        if state.state in ENDED:
            return


async def _hear(run: Run, watched: Watched) -> None:
    async for event in run.events():
        watched.events.append(event)


def disagreements(run: RunState, events: list[RunEvent]) -> list[str]:
    """Where the last event about something is not what the tree says it became; and ways that cannot be."""
    told: dict[str, list[RunEvent]] = {}
    for event in sorted(events, key=lambda each: each.time):
        if event.kind not in (EventKind.APPROVAL, EventKind.PROGRESS):
            told.setdefault(f"{event.path}#{event.attempt}" if event.attempt else event.path, []).append(event)
    kept = {event.path for event in events if event.reason.startswith("kept from")}
    wrong: list[str] = []
    for path, state in states(run):
        way = [each.state for each in told.pop(path, [])]
        if not way and path.partition("#")[0] in kept:
            continue
        if not way and state is not State.PENDING:
            wrong.append(f"no event tells that {path or 'the run'} became {state.value}")
        elif way and way[-1] is not state:
            wrong.append(f"the last event says that {path or 'the run'} is {way[-1].value}, the tree {state.value}")
        wrong += [
            f"events say that {path or 'the run'} became {after.value} after {before.value}"
            for before, after in pairwise(way)
            if after is not before and after not in NEXT[before]
        ]
    wrong += [f"events tell of {path}, which is not in the tree" for path in told]
    if len({event.id for event in events}) != len(events):
        wrong.append("an event was told twice")
    return wrong
