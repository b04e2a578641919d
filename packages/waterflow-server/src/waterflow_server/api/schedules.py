"""``/schedules``: when stored workflows run by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from waterflow_sdk.wire import (
    BackfillRequest,
    BackfillResponse,
    PauseRequest,
    ScheduleCreate,
    ScheduleInfo,
    SchedulePut,
    TriggerRequest,
)

from ._body import JsonRequest
from ._openapi import problems
from ._scopes import READ, RUN
from ._services import Services

MOST_TIMES = 100
Limit = Annotated[int, QueryParameter(ge=1, le=MOST_TIMES, description="Most times.")]


class ScheduleController(Controller):
    """Schedules: those that stored workflows have in their file, and others."""

    path = "/schedules"
    tags = ("schedules",)
    opt = READ
    request_class = JsonRequest
    responses = problems(400, 404, 409, 422, 503)

    @get("/")
    async def list_schedules(self, services: NamedDependency[Services]) -> list[ScheduleInfo]:
        """All schedules, by name."""
        return list(await services.schedules.list())

    @post("/", opt=RUN, status_code=201)
    async def create_schedule(
        self, data: JSONBody[ScheduleCreate], services: NamedDependency[Services]
    ) -> ScheduleInfo:
        """A new schedule for a stored workflow."""
        return await services.schedules.create(data)

    @get("/{name:str}")
    async def get_schedule(self, name: FromPath[str], services: NamedDependency[Services]) -> ScheduleInfo:
        """One schedule: what it does, its next times, and what came of its last ones."""
        return await services.schedules.get(name)

    @put("/{name:str}", opt=RUN)
    async def put_schedule(
        self, name: FromPath[str], data: JSONBody[SchedulePut], services: NamedDependency[Services]
    ) -> ScheduleInfo:
        """Replace a schedule, or make it; whether it is paused stays."""
        return await services.schedules.put(name, data)

    @delete("/{name:str}", opt=RUN)
    async def delete_schedule(self, name: FromPath[str], services: NamedDependency[Services]) -> None:
        """Remove a schedule; its runs go on."""
        await services.schedules.delete(name)

    @get("/{name:str}/next")
    async def next_times(
        self, name: FromPath[str], services: NamedDependency[Services], limit: Limit = 10
    ) -> list[datetime]:
        """The next times, as if it were not paused."""
        return list(await services.schedules.next(name, limit))

    @post("/{name:str}/pause", opt=RUN, status_code=202)
    async def pause(
        self, name: FromPath[str], services: NamedDependency[Services], data: JSONBody[PauseRequest | None] = None
    ) -> Response[bytes]:
        """Start nothing until it is unpaused; what runs goes on."""
        await services.schedules.pause(name, (data or PauseRequest()).reason)
        return Response(b"")

    @post("/{name:str}/unpause", opt=RUN, status_code=202)
    async def unpause(
        self, name: FromPath[str], services: NamedDependency[Services], data: JSONBody[PauseRequest | None] = None
    ) -> Response[bytes]:
        """Go on after a pause."""
        await services.schedules.unpause(name, (data or PauseRequest()).reason)
        return Response(b"")

    @post("/{name:str}/trigger", opt=RUN, status_code=202)
    async def trigger(
        self, name: FromPath[str], services: NamedDependency[Services], data: JSONBody[TriggerRequest | None] = None
    ) -> Response[bytes]:
        """Run now, paused or not."""
        await services.schedules.trigger(name, (data or TriggerRequest()).overlap)
        return Response(b"")

    @post("/{name:str}/backfill", opt=RUN, status_code=202)
    async def backfill(
        self, name: FromPath[str], data: JSONBody[BackfillRequest], services: NamedDependency[Services]
    ) -> Response[BackfillResponse]:
        """Run for times that have been, at most a hundred."""
        return Response(BackfillResponse(times=list(await services.schedules.backfill(name, data))))
