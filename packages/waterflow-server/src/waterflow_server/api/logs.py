"""``/workflows/{id}/logs``: the log of a run as text, as NDJSON, or followed live as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream
from temporalio.service import RPCError

from waterflow_sdk.wire import LogLine, LogStreamKind

from ..auth import Caller
from ..logs import Follower, LogBatch, LogQuery, RunLog, kept_streams, needs_kept
from ..runs import RunNotFound
from ._log_formats import NDJSON, TEXT, as_ndjson, as_text, events
from ._openapi import problems
from ._run_reader import run_reader
from ._scopes import READ
from ._services import Services
from ._sse import SSE, while_standing
from ._steps import NamedStep

Tail = Annotated[int | None, QueryParameter(ge=0, le=100_000, description="Begin with this many last lines.")]
Attempt = Annotated[int | None, QueryParameter(ge=1)]
Streams = Annotated[list[LogStreamKind] | None, QueryParameter(name="stream", description="Any of these.")]
Cursor = Annotated[str | None, QueryParameter(description="Go on after this line; `Last-Event-ID` goes before it.")]
LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Download = Annotated[bool, QueryParameter(description="As a file: `Content-Disposition: attachment`.")]
Format = Annotated[Literal["text", "ndjson"] | None, QueryParameter(name="format", description="Goes before `Accept`.")]

Encode = Callable[[Sequence[LogLine]], bytes]


class _Start(msgspec.Struct, frozen=True):
    """Where reading begins: with all that the query wants, or with so many of its last lines."""

    query: LogQuery
    tail: int | None


class LogController(Controller):
    """Logs of runs."""

    path = "/workflows/{run_id:str}/logs"
    tags = ("logs",)
    opt = READ

    @get("/", responses=problems(400, 404, 503))
    async def read(
        self,
        request: Request[Any, Any, Any],
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        follow: FromQuery[bool] = False,
        job: FromQuery[str | None] = None,
        step: FromQuery[str | None] = None,
        host: FromQuery[str | None] = None,
        attempt: Attempt = None,
        streams: Streams = None,
        since: FromQuery[datetime | None] = None,
        search: FromQuery[str | None] = None,
        tail: Tail = None,
        cursor: Cursor = None,
        last_event_id: LastEventId = None,
        format_: Format = None,
        download: Download = False,
    ) -> Stream:
        """The log of a run. ``follow=true`` answers with server-sent events until the run has ended."""
        query = LogQuery(
            job=job,
            host=host,
            attempt=attempt,
            streams=frozenset(streams or ()),
            since=since.astimezone() if since is not None else None,
            search=search,
        )
        after = last_event_id or cursor
        log = await _run_log(services, run_id, after)
        if follow:
            followed = await _followed(services, log, run_id, after, _Start(query, tail), step)
            answer = while_standing(services.access, caller, followed)
            return Stream(answer, media_type=SSE, headers={"Cache-Control": "no-cache"})
        query = await _of_step(services, run_id, query, step)
        start = await _start(services, log, run_id, after, _Start(query, tail))
        media_type = NDJSON if _wants_ndjson(request, format_) else TEXT
        encode = as_ndjson if media_type == NDJSON else as_text
        headers = _headers(run_id, media_type, download=download)
        return Stream(_encoded(log, start, query, encode), media_type=media_type, headers=headers)


async def _of_step(services: Services, run_id: str, query: LogQuery, step: str | None) -> LogQuery:
    """The query, for a step by what it is called now. Raises RunNotFound and RPCError."""
    if step is None:
        return query
    named = NamedStep(lambda full: services.runs.get(run_id, full=full), step)
    await named.look()
    return msgspec.structs.replace(query, steps=named.steps)


async def _followed(
    services: Services, log: RunLog, run_id: str, after: str | None, start: _Start, step: str | None
) -> AsyncIterator[bytes]:
    """The events. A step is known by its name only once it has begun: all are read, and others left out."""
    query = start.query
    named = NamedStep(run_reader(services.runs, run_id), step) if step else None
    if start.tail is not None:
        start = _Start(await _of_step(services, run_id, query, step), start.tail)
    batch = await _start(services, log, run_id, after, start)
    if named is not None:
        batch = LogBatch(lines=await named.lines_of(batch.lines), cursor=batch.cursor)
    follower = Follower(services.logs, run_id, run_reader(services.runs, run_id), query, services.closing)
    return events(follower, log, batch, query, named)


def _wants_ndjson(request: Request[Any, Any, Any], format_: str | None) -> bool:
    if format_ is not None:
        return format_ == "ndjson"
    return request.accept.best_match([TEXT, NDJSON, "application/json"]) != TEXT


async def _run_log(services: Services, run_id: str, after: str | None) -> RunLog:
    """The log of the run with what a retry kept. While Temporal cannot say what that is, there are the own lines."""
    if not needs_kept(after):
        return RunLog(services.logs, run_id, {})
    try:
        state = await services.runs.get(run_id, full=False)
        if state.link is not None:
            state = await services.runs.get(run_id, full=True)
    except (RPCError, RunNotFound):
        return RunLog(services.logs, run_id, {})
    return RunLog(services.logs, run_id, kept_streams(state) if state.link is not None else {})


async def _start(services: Services, log: RunLog, run_id: str, after: str | None, start: _Start) -> LogBatch:
    """The first batch. Read before the answer begins: a bad cursor and an unknown run are then still a status."""
    if start.tail is not None and after is None:
        batch = await log.tail(start.tail, start.query)
    else:
        batch = LogBatch(lines=[], cursor=after)
        async for batch in log.read(after, start.query):  # noqa: B007 (the first one is what is wanted)
            break
    if batch.cursor is None:
        await services.runs.get(run_id, full=False)
    return batch


async def _encoded(log: RunLog, start: LogBatch, query: LogQuery, encode: Encode) -> AsyncIterator[bytes]:
    yield encode(start.lines)
    async for batch in log.read(start.cursor, query):
        yield encode(batch.lines)


def _headers(run_id: str, media_type: str, *, download: bool) -> dict[str, str]:
    if not download:
        return {}
    kind = "ndjson" if media_type == NDJSON else "log"
    return {"Content-Disposition": f'attachment; filename="{run_id}.{kind}"'}
