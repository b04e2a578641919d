"""Following a run: its events as they become known, from the beginning or from wherever a reader was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta

import msgspec
from temporalio.service import RPCError

from waterflow_sdk.wire import (
    EventKind,
    JobState,
    LogEventKind,
    LogLine,
    LogStreamKind,
    RunEnd,
    RunEvent,
    RunState,
    State,
)

from ..logs import LogQuery, LogStore
from ._errors import RunError
from ._events import Told, in_order, job_events, micros, run_events
from ._watch import RunWatch

SHORTEST = 0.25
"""Seconds between two looks; a look that takes longer than this is followed by a pause as long as itself."""

LATE = timedelta(seconds=15)
"""How much later than its time an event can show: a workflow task takes ten seconds at most, and clocks differ."""

_CURSOR = re.compile(r"(\d{1,20})_(.{0,60})", re.ASCII)
_PROGRESS = LogQuery(streams=frozenset({LogStreamKind.EVENT}))


class InvalidEventCursor(RunError):
    """The text is not a cursor of an event stream."""

    code = "invalid-query"


class EventBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Some events; empty ones show that the connection lives. ``cursor``: everything before it has been told."""

    events: Sequence[RunEvent]
    cursor: str


class _Place(msgspec.Struct, frozen=True):
    """A cursor: all events known before ``since`` (microseconds) were told, and the log was read up to ``log``."""

    since: int = 0
    log: str | None = None

    def __str__(self) -> str:
        return f"{self.since}_{self.log or ''}"

    @classmethod
    def parse(cls, text: str) -> _Place:
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise InvalidEventCursor(f"{text[:80]!r} is no id of an event of this stream; leave it out to start anew")
        return cls(int(match[1]), match[2] or None)


class EventFollower:
    """Follows one run for one reader.

    After a cursor come all events that the reader may not have: some that it has, too, because an event can become
    known a little after its time. They have the same ids. ``end`` says how the run ended when ``batches`` is through;
    ``closing`` ends it early, without an end.
    """

    def __init__(self, watch: RunWatch, logs: LogStore, run_id: str, closing: asyncio.Event) -> None:
        self._watch = watch
        self._logs = logs
        self._run = run_id
        self._closing = closing
        self._told: set[str] = set()
        self._book = _Book()
        self.end: RunEnd | None = None

    async def batches(self, after: str | None) -> AsyncIterator[EventBatch]:
        """Events after the cursor, then those that come. Raises RunNotFound, InvalidEventCursor, LogStoreError."""
        place = _Place.parse(after) if after else _Place()
        since = place.since
        while not self._closing.is_set():
            began = _now()
            state = await self._look()
            progress, log = await self._progress(place.log)
            events: list[RunEvent] = []
            if state is not None:
                told = self._book.events(state)
                events = [each.event for each in told if self._is_new(each, since)]
                place = _Place(max(place.since, _watermark(told, _now() - began)), log)
            else:
                place = _Place(place.since, log)
            self._told.update(event.id for event in events)
            yield EventBatch(events=[*events, *progress], cursor=str(place))
            if state is not None and state.state.ended:
                self.end = RunEnd(state=state.state)
                return
            await self._pause(max(SHORTEST, _now() - began))

    async def _look(self) -> RunState | None:
        try:
            return await self._watch.look()
        except RPCError:
            return None  # Temporal is away: nothing is known now, and nothing is lost

    def _is_new(self, told: Told, since: int) -> bool:
        return told.event.id not in self._told and (told.known is None or micros(told.known) >= since)

    async def _progress(self, after: str | None) -> tuple[list[RunEvent], str | None]:
        """The last progress of each attempt since the cursor, and the cursor now."""
        latest: dict[tuple[str, str, int], RunEvent] = {}
        async for batch in self._logs.read(self._run, after, _PROGRESS):
            after = batch.cursor
            for line in batch.lines:
                if line.event is LogEventKind.PROGRESS:
                    latest[line.job, line.step, line.attempt] = _progress_event(line)
        return list(latest.values()), after

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


class _Book:
    """The events of a run, made anew only for those of its job instances that have changed."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[JobState, list[Told]]] = {}

    def events(self, run: RunState) -> list[Told]:
        """All of them, in the order of time."""
        return in_order([*run_events(run), *self._of_jobs(run)])

    def _of_jobs(self, run: RunState) -> Iterator[Told]:
        for job in run.jobs:
            known = self._jobs.get(job.instance)
            if known is None or known[0] is not job or run.state.ended:
                known = self._jobs[job.instance] = job, list(job_events(run, job))
            yield from known[1]


def _watermark(told: Sequence[Told], took: float) -> int:
    """Microseconds up to which nothing new can show any more."""
    last = max((each.known for each in told if each.known is not None), default=None)
    return 0 if last is None else max(micros(last - LATE - timedelta(seconds=took)), 0)


def _progress_event(line: LogLine) -> RunEvent:
    return RunEvent(
        id=f"progress:{line.job}/{line.step}#{line.attempt}@{line.cursor}",
        time=line.time,
        kind=EventKind.PROGRESS,
        state=State.RUNNING,
        path=f"{line.job}/{line.step}",
        reason=line.text,
        attempt=line.attempt,
        data={"percent": line.data["percent"]} if "percent" in line.data else {},
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
