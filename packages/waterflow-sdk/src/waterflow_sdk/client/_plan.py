"""Plans, dry runs and edits, as the client asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..wire import EditReport, EditRequest, EditResponse, PlanRequest, PlanView, Wire
from ._errors import RunNotFound
from ._transport import Transport


class Edited(Wire, frozen=True, kw_only=True):
    """What an edit keeps and runs again. ``id`` is the run that goes on, None for a dry run."""

    report: EditReport
    id: str | None = None
    url: str = ""
    warnings: tuple[Mapping[str, Any], ...] = ()


def plan_request(
    yaml: str,
    filename: str,
    files: Mapping[str, str] | None,
    vars: Mapping[str, Any] | None,
    inputs: Mapping[str, Any] | None,
    secrets: Mapping[str, str] | None,
    dry_run: bool,
    against: str | None,
) -> PlanRequest:
    """The body of a request for a plan."""
    return PlanRequest(
        yaml=yaml,
        filename=filename,
        files=dict(files or {}),
        vars=dict(vars or {}),
        inputs=dict(inputs or {}),
        secrets=dict(secrets or {}),
        dry_run=dry_run,
        against=against,
    )


async def fetch_plan(transport: Transport, request: PlanRequest) -> PlanView:
    """Ask for a plan; nothing is started, so that it is safe to repeat."""
    return await transport.call("POST", "/v1/plan", PlanView, body=request, missing=RunNotFound)


async def send_edit(transport: Transport, path: str, request: EditRequest) -> Edited:
    """Send a changed definition to the run at ``path``."""
    answer = await transport.call(
        "POST",
        f"{path}/edit",
        EditResponse,
        body=request,
        missing=RunNotFound,
        safe=request.dry_run,  # a second edit would be a second run
    )
    return Edited(report=answer.report, id=answer.id, url=answer.url or "", warnings=tuple(answer.warnings))
