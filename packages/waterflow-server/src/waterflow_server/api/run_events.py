"""``/workflows/{id}/events``: what happens in a run, live, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream

from ..auth import Caller
from ..runs import EventBatch, EventFollower
from . import _sse as sse
from ._openapi import problems
from ._scopes import READ
from ._services import Services

Cursor = Annotated[str | None, QueryParameter(description="Go on from here; `Last-Event-ID` goes before it.")]
LastEventId = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]


class RunEventController(Controller):
    """Events of runs."""

    path = "/workflows/{run_id:str}/events"
    tags = ("workflows",)
    opt = READ

    @get("/", responses=problems(400, 404, 503))
    async def follow(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        cursor: Cursor = None,
        last_event_id: LastEventId = None,
    ) -> Stream:
        """All events of the run so far, then those that come, until the run has ended.

        Each is an event of its kind (`run job step attempt approval progress`) with a `RunEvent` as data; `end` is the
        last one. After a reconnect an event may come again, with the same `id` in its data.
        """
        await services.runs.get(run_id, full=False)  # an unknown run is a status, not a broken stream
        follower = EventFollower(services.runs.watch(run_id), services.logs, run_id, services.closing)
        batches = follower.batches(last_event_id or cursor)
        first = await anext(batches)  # so is a bad cursor
        parts = sse.stream(_of(first), _coming(batches), lambda: follower.end)
        answer = sse.while_standing(services.access, caller, parts)
        return Stream(answer, media_type=sse.SSE, headers={"Cache-Control": "no-cache"})


async def _coming(batches: AsyncIterator[EventBatch]) -> AsyncIterator[bytes]:
    async for batch in batches:
        yield _of(batch) if batch.events else b""


def _of(batch: EventBatch) -> bytes:
    """The place comes after the events: whoever has lost the connection among them gets all of them again."""
    return b"".join(sse.event(event.kind.value, event) for event in batch.events) + sse.place(batch.cursor)
