"""``/workflows/{id}/logs``: the log of a run as text, as NDJSON, or followed live as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from waterflow_sdk.wire import LogStreamKind

from ..logs import Follower, LogBatch, LogQuery, LogStore
from ._log_formats import NDJSON, SSE, TEXT, as_ndjson, as_text, events
from ._openapi import problems
from ._run_reader import run_reader
from ._services import Services
from ._steps import step_paths

Tail = Annotated[int | None, QueryParameter(ge=0, le=100_000, description="Begin with this many last lines.")]
Attempt = Annotated[int | None, QueryParameter(ge=1)]
Streams = Annotated[list[LogStreamKind] | None, QueryParameter(name="stream", description="Any of these.")]
Cursor = Annotated[str | None, QueryParameter(description="Go on after this line; `Last-Event-ID` goes before it.")]
LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Format = Annotated[Literal["text", "ndjson"] | None, QueryParameter(name="format", description="Goes before `Accept`.")]


class LogController(Controller):
    """Logs of runs."""

    path = "/workflows/{run_id:str}/logs"
    tags = ("logs",)

    @get("/", responses=problems(400, 404, 503))
    async def read(
        self,
        request: Request[Any, Any, Any],
        run_id: FromPath[str],
        services: NamedDependency[Services],
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
    ) -> Stream:
        """The log of a run. ``follow=true`` answers with server-sent events until the run has ended."""
        query = LogQuery(
            job=job,
            steps=await step_paths(services.runs, run_id, step) if step else frozenset(),
            host=host,
            attempt=attempt,
            streams=frozenset(streams or ()),
            since=since.astimezone() if since is not None else None,
            search=search,
        )
        after = last_event_id or cursor
        start = await _start(services, run_id, after, tail, query)
        if follow:
            follower = Follower(services.logs, run_id, run_reader(services.runs, run_id), query, services.closing)
            return Stream(events(follower, start), media_type=SSE, headers={"Cache-Control": "no-cache"})
        media_type = NDJSON if _wants_ndjson(request, format_) else TEXT
        encode = as_ndjson if media_type == NDJSON else as_text
        return Stream(_encoded(services.logs, run_id, start, query, encode), media_type=media_type)


def _wants_ndjson(request: Request[Any, Any, Any], format_: str | None) -> bool:
    if format_ is not None:
        return format_ == "ndjson"
    return request.accept.best_match([TEXT, NDJSON, "application/json"]) != TEXT


async def _start(services: Services, run_id: str, after: str | None, tail: int | None, query: LogQuery) -> LogBatch:
    """The first batch. Read before the answer begins: a bad cursor and an unknown run are then still a status."""
    if tail is not None and after is None:
        batch = await services.logs.tail(run_id, tail, query)
    else:
        batch = LogBatch(lines=[], cursor=after)
        async for batch in services.logs.read(run_id, after, query):  # noqa: B007 (the first one is what is wanted)
            break
    if batch.cursor is None:
        await services.runs.get(run_id, full=False)
    return batch


async def _encoded(store: LogStore, run_id: str, start: LogBatch, query: LogQuery, encode: Any) -> AsyncIterator[bytes]:
    yield encode(start.lines)
    async for batch in store.read(run_id, start.cursor, query):
        yield encode(batch.lines)
