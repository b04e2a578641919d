"""``/workflows``: submit, list, look at and cancel runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, cast
from urllib.parse import quote

from litestar import Controller, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from waterflow_sdk.wire import CancelRequest, RunOutputs, RunPage, RunState, State, SubmitRequest, SubmitResponse

from ..auth import Caller
from ..runs import RunQuery
from ._body import MAX_BODY_BYTES, YAML_PARAMETERS, JsonRequest, WorkflowRequest, check_size
from ._openapi import DRY_RUN, SubmitOperation, problems
from ._page_cursor import seal, unseal
from ._problems import ApiError
from ._scopes import ADMIN, READ, RUN
from ._services import Services

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Most runs on the page.")]
States = Annotated[list[State] | None, QueryParameter(name="state", description="Any of these; may be repeated.")]

Since = Annotated[datetime | None, QueryParameter(description="Submitted at this time (RFC 3339) or later.")]
Until = Annotated[datetime | None, QueryParameter(description="Submitted at this time (RFC 3339) or before.")]
At = Annotated[datetime | None, QueryParameter(description="The state at this time (RFC 3339), not now.")]
Text = Annotated[
    str | None,
    QueryParameter(
        description="What the name, the id or who started it begins with, or a whole label.", max_length=200
    ),
]


class WorkflowController(Controller):
    """Runs of workflows."""

    path = "/workflows"
    tags = ("workflows",)
    opt = READ

    @post(
        "/",
        status_code=202,
        request_class=WorkflowRequest,
        request_max_body_size=MAX_BODY_BYTES,
        operation_class=SubmitOperation,
        response_headers=[ResponseHeader(name="Location", documentation_only=True, description="Address of the run.")],
        opt={**RUN, "query_parameters": YAML_PARAMETERS},
        responses={200: DRY_RUN, **problems(400, 413, 415, 422, 503)},
    )
    async def submit(
        self, data: JSONBody[SubmitRequest], services: NamedDependency[Services], caller: NamedDependency[Caller]
    ) -> Response[SubmitResponse]:
        """Start a run. 202: it is accepted; the same idempotency key gives the same run. 200: of a dry run."""
        check_size(data.yaml)
        if data.dry_run:
            view = await services.plans.dry_run(data, caller.name)
            return cast("Response[SubmitResponse]", Response(view, status_code=200))
        answer = await services.submissions.submit(data, caller.name)
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
        started_by: FromQuery[str | None] = None,
        since: Since = None,
        until: Until = None,
        text: Text = None,
    ) -> RunPage:
        """Runs, newest first, page by page."""
        after = unseal(cursor)
        query = RunQuery(
            states=states or (),
            name=name,
            label=label,
            started_by=started_by,
            since=_with_zone("since", since),
            until=_with_zone("until", until),
            text=text,
        )
        try:
            page = await services.runs.list(query, limit=limit, cursor=after)
        except ValueError as error:
            raise ApiError("invalid-query", str(error)) from error
        return RunPage(items=page.items, next=seal(page.next))

    @get("/{run_id:str}", responses=problems(404, 503))
    async def get_run(
        self,
        run_id: FromPath[str],
        services: NamedDependency[Services],
        view: FromQuery[Literal["summary", "full"]] = "summary",
        at: At = None,
    ) -> RunState:
        """The state of a run, now or as it was ``at`` a moment; ``view=full`` with steps and attempts."""
        try:
            return await services.runs.get(run_id, full=view == "full", at=_with_zone("at", at))
        except ValueError as error:
            raise ApiError("invalid-query", str(error)) from error

    @get("/{run_id:str}/definition", responses=problems(404, 503))
    async def definition(self, run_id: FromPath[str], services: NamedDependency[Services]) -> Response[str]:
        """The workflow file as it was submitted."""
        text, filename = await services.runs.definition(run_id)
        name = quote(filename.rpartition("/")[2] or "workflow.yaml", safe="")
        headers = {"Content-Disposition": f"inline; filename*=UTF-8''{name}"}
        return Response(text, media_type="application/yaml", headers=headers)

    @get("/{run_id:str}/outputs", responses=problems(404, 503))
    async def outputs(self, run_id: FromPath[str], services: NamedDependency[Services]) -> RunOutputs:
        """The outputs of a run, as far as it has come, and those of its job instances."""
        run = await services.runs.get(run_id, full=False)
        return RunOutputs(outputs=run.outputs, jobs={job.instance: job.outputs for job in run.jobs if job.outputs})

    @delete("/{run_id:str}", opt=ADMIN, status_code=204, responses=problems(404, 409, 503))
    async def forget(self, run_id: FromPath[str], services: NamedDependency[Services]) -> Response[None]:
        """Forget a run that has ended: its state, that of its jobs, and its logs. 409 while it lives.

        202 instead of 204: Temporal needs up to half a minute more, because the run has ended only just now.
        """
        gone = await services.runs.forget(run_id)
        await services.logs.remove(run_id)
        return Response(None, status_code=204 if gone else 202)

    @post(
        "/{run_id:str}/cancel", opt=RUN, status_code=202, request_class=JsonRequest, responses=problems(404, 409, 503)
    )
    async def cancel(
        self, run_id: FromPath[str], services: NamedDependency[Services], data: JSONBody[CancelRequest | None] = None
    ) -> Response[bytes]:
        """Ask a run to end. 202: it is asked; its running steps are ended on their hosts, then `finally` steps run."""
        wanted = data or CancelRequest()
        await services.runs.cancel(run_id, wanted.reason, force=wanted.force)
        return Response(b"")


def _with_zone(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise ApiError("invalid-query", f"{name}={moment.isoformat()} needs a time zone, such as Z for UTC")
    return moment
