"""``/workflows``: submit, list, look at and cancel runs."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from waterflow_sdk.wire import CancelRequest, RunPage, RunState, State, SubmitRequest, SubmitResponse

from ._body import MAX_BODY_BYTES, YAML_PARAMETERS, JsonRequest, WorkflowRequest, check_size
from ._openapi import SubmitOperation, problems
from ._page_cursor import seal, unseal
from ._problems import ApiError
from ._services import Services

STARTED_BY = "anonymous"
"""Who started a run, as long as the server does not ask for keys."""

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Most runs on the page.")]
States = Annotated[list[State] | None, QueryParameter(name="state", description="Any of these; may be repeated.")]


class WorkflowController(Controller):
    """Runs of workflows."""

    path = "/workflows"
    tags = ("workflows",)

    @post(
        "/",
        status_code=202,
        request_class=WorkflowRequest,
        request_max_body_size=MAX_BODY_BYTES,
        operation_class=SubmitOperation,
        response_headers=[ResponseHeader(name="Location", documentation_only=True, description="Address of the run.")],
        opt={"query_parameters": YAML_PARAMETERS},
        responses=problems(400, 413, 415, 422, 503),
    )
    async def submit(
        self, data: JSONBody[SubmitRequest], services: NamedDependency[Services]
    ) -> Response[SubmitResponse]:
        """Start a run. 202: it is accepted; the same idempotency key gives the same run."""
        check_size(data.yaml)
        answer = await services.submissions.submit(data, STARTED_BY)
        return Response(answer, headers={"Location": answer.url})

    @get("/", responses=problems(400, 503))
    async def list_runs(
        self,
        services: NamedDependency[Services],
        states: States = None,
        name: FromQuery[str | None] = None,
        label: FromQuery[str | None] = None,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
    ) -> RunPage:
        """Runs, newest first, page by page."""
        after = unseal(cursor)
        try:
            page = await services.runs.list(states=states or (), name=name, label=label, limit=limit, cursor=after)
        except ValueError as error:
            raise ApiError("invalid-query", str(error)) from error
        return RunPage(items=page.items, next=seal(page.next))

    @get("/{run_id:str}", responses=problems(404, 503))
    async def get_run(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        view: FromQuery[Literal["summary", "full"]] = "summary",
    ) -> RunState:
        """The state of a run; ``view=full`` with steps and attempts."""
        return await services.runs.get(run_id, full=view == "full")

    @post("/{run_id:str}/cancel", status_code=202, request_class=JsonRequest, responses=problems(404, 409, 503))
    async def cancel(
        self, run_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[CancelRequest | None] = None
    ) -> Response[bytes]:
        """Ask a run to end. 202: it is asked; its running steps are ended on their hosts, then `finally` steps run."""
        wanted = data or CancelRequest()
        await services.runs.cancel(run_id, wanted.reason, force=wanted.force)
        return Response(b"")
