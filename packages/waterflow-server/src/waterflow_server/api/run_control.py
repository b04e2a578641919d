"""``/workflows/{id}/…``: control of a living run."""

from __future__ import annotations

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from waterflow_sdk.wire import (
    ApprovalRequest,
    EditRequest,
    EditResponse,
    EventRequest,
    PauseRequest,
    RetryRequest,
    SubmitResponse,
)

from ..auth import Caller
from ..engine import Event
from ..runs import Approval
from ._body import MAX_BODY_BYTES, JsonRequest, check_size
from ._openapi import problems
from ._scopes import RUN
from ._services import Services


class RunControlController(Controller):
    """What people and other systems tell a run. 409: its state does not allow it."""

    path = "/workflows/{run_id:str}"
    tags = ("workflows",)
    opt = RUN
    request_class = JsonRequest
    responses = problems(404, 409, 503)

    @post("/pause", status_code=202)
    async def pause(
        self, run_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[PauseRequest | None] = None
    ) -> Response[bytes]:
        """Running steps finish, no new one starts, timers go on."""
        await services.runs.pause(run_id, (data or PauseRequest()).reason)
        return Response(b"")

    @post("/resume", status_code=202)
    async def resume(self, run_id: FromPath[str], services: NamedDependency[Services]) -> Response[bytes]:
        """Go on after a pause."""
        await services.runs.resume(run_id)
        return Response(b"")

    @post("/retry", status_code=202)
    async def retry(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        data: JSONBody[RetryRequest | None] = None,
    ) -> Response[SubmitResponse]:
        """Start a new run, linked to this one, that keeps what has succeeded."""
        new_id = await services.runs.retry(run_id, data or RetryRequest(), caller.name)
        answer = SubmitResponse(id=new_id, url=f"/v1/workflows/{new_id}")
        return Response(answer, headers={"Location": answer.url})

    @post(
        "/edit",
        status_code=202,
        request_max_body_size=MAX_BODY_BYTES,
        responses=problems(400, 404, 409, 413, 422, 503),
    )
    async def edit(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        data: JSONBody[EditRequest],
    ) -> Response[EditResponse]:
        """Go on with a changed definition, as a new run linked to this one; 200 with the report alone for a dry run."""
        check_size(data.yaml)
        answer = await services.edits.edit(run_id, data, caller.name)
        if answer.url is None:
            return Response(answer, status_code=200)
        return Response(answer, headers={"Location": answer.url})

    @post("/approve", status_code=202)
    async def approve(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        data: JSONBody[ApprovalRequest | None] = None,
    ) -> Response[bytes]:
        """Let a step that waits for approval go on."""
        await services.runs.answer(run_id, _answer(data, caller, approved=True))
        return Response(b"")

    @post("/reject", status_code=202)
    async def reject(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        caller: NamedDependency[Caller],
        data: JSONBody[ApprovalRequest | None] = None,
    ) -> Response[bytes]:
        """Fail a step that waits for approval."""
        await services.runs.answer(run_id, _answer(data, caller, approved=False))
        return Response(b"")

    @post("/events", status_code=202)
    async def event(
        self, run_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[EventRequest]
    ) -> Response[bytes]:
        """Something happened outside; the first `wait` for its name takes it."""
        await services.runs.event(run_id, Event(name=data.name, payload=data.payload))
        return Response(b"")


def _answer(data: ApprovalRequest | None, caller: Caller, *, approved: bool) -> Approval:
    given = data or ApprovalRequest()
    by = caller.name if caller.known else given.by  # a key says who answers; without keys it is only claimed
    return Approval(approved=approved, by=by, comment=given.comment, inputs=given.inputs, step=given.step)
