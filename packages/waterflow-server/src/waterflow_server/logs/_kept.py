"""The whole log of a run that retries another: first the lines of what it kept, then its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from waterflow_sdk.wire import AttemptState, LogLine, RunState, StepState, StreamName

from ._query import LogQuery
from ._store import LogBatch, LogStore

_MARK = "!"  # between the run and the cursor in its log; no id of a run holds it
_NEVER = datetime.min.replace(tzinfo=UTC)


def kept_streams(run: RunState) -> dict[str, frozenset[str]]:
    """The streams of former runs that the tree shows, by run, the one that ended first before the others."""
    found: dict[str, set[str]] = {}
    ended: dict[str, datetime] = {}
    for attempt in attempts_of(run):
        former = StreamName.parse(attempt.log.stream).run if attempt.log else run.id
        if attempt.log is not None and former != run.id:
            found.setdefault(former, set()).add(attempt.log.stream)
            ended[former] = max(ended.get(former, _NEVER), attempt.ended or _NEVER)
    return {former: frozenset(found[former]) for former in sorted(found, key=lambda each: (ended[each], each))}


def attempts_of(run: RunState) -> Iterator[AttemptState]:
    """All attempts in the tree."""
    for job in run.jobs:
        yield from _of_steps(job.steps)


def _of_steps(steps: Sequence[StepState]) -> Iterator[AttemptState]:
    for step in steps:
        yield from step.attempts
        yield from _of_steps(step.steps)


def needs_kept(cursor: str | None) -> bool:
    """Whether a reader at this cursor still has kept lines before it."""
    return cursor is None or _MARK in cursor


class RunLog:
    """The log of one run. ``kept`` are the streams of former runs, by run, in their order."""

    def __init__(self, store: LogStore, run: str, kept: Mapping[str, frozenset[str]]) -> None:
        self._store = store
        self._run = run
        self._kept = kept

    async def read(self, after: str | None, query: LogQuery) -> AsyncIterator[LogBatch]:
        """The lines after a cursor up to the present end. Raises as :meth:`LogStore.read`."""
        async for batch in self.read_kept(after, query):
            yield batch
        async for batch in self._store.read(self._run, own(after), query):
            yield batch

    async def read_kept(self, after: str | None, query: LogQuery) -> AsyncIterator[LogBatch]:
        """Only the kept lines after the cursor; none when it is beyond them."""
        if not needs_kept(after):
            return
        former, _, place = (after or "").partition(_MARK)
        names = list(self._kept)
        for run in names[names.index(former) if former in names else 0 :]:
            start = place if run == former else None
            async for batch in self._store.read(run, start, _within(query, self._kept[run])):
                yield _marked(run, batch)

    async def tail(self, count: int, query: LogQuery) -> LogBatch:
        """The last lines, and the cursor of the present end; lines of former runs where this one has too few."""
        batch = await self._store.tail(self._run, count, query)
        lines, cursor = batch.lines, batch.cursor
        for run, streams in reversed(list(self._kept.items())):
            if len(lines) >= count:
                break
            before = await self._store.tail(run, count - len(lines), _within(query, streams))
            before = _marked(run, before)
            lines, cursor = [*before.lines, *lines], cursor or before.cursor
        return LogBatch(lines=lines, cursor=cursor)


def own(cursor: str | None) -> str | None:
    """The cursor in the run's own journal; None while the reader is among kept lines."""
    return None if needs_kept(cursor) else cursor


def _within(query: LogQuery, streams: frozenset[str]) -> LogQuery:
    return msgspec.structs.replace(query, only=streams)


def _marked(run: str, batch: LogBatch) -> LogBatch:
    lines = [_line(run, line) for line in batch.lines]
    return LogBatch(lines=lines, cursor=f"{run}{_MARK}{batch.cursor}" if batch.cursor else None)


def _line(run: str, line: LogLine) -> LogLine:
    return msgspec.structs.replace(line, cursor=f"{run}{_MARK}{line.cursor}", kept_from=run)
