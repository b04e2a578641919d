"""Plans and edits that remember what they were asked."""

from __future__ import annotations

from waterflow_sdk.wire import EditReport, EditRequest, EditResponse, PlanRequest, PlanView, SubmitRequest
from waterflow_server.runs import NothingToEdit, RunNotFound


class PlansInMemory:
    """Knows the run ``r1``."""

    def __init__(self) -> None:
        self.asked: list[PlanRequest] = []

    async def plan(self, request: PlanRequest, started_by: str) -> PlanView:
        self.asked.append(request)
        return PlanView(name=f"planned by {started_by}", dry_run=request.dry_run)

    async def dry_run(self, request: SubmitRequest, started_by: str) -> PlanView:
        return PlanView(name=f"{request.filename} of {started_by}", dry_run=True)

    async def of_run(self, run_id: str) -> PlanView:
        if run_id != "r1":
            raise RunNotFound(f"there is no run {run_id!r}")
        return PlanView(name="of r1")


class EditsInMemory:
    """Lets ``r1`` go on; any other run has succeeded."""

    def __init__(self) -> None:
        self.asked: list[EditRequest] = []

    async def edit(self, run_id: str, request: EditRequest, started_by: str) -> EditResponse:
        del started_by
        self.asked.append(request)
        if run_id != "r1":
            raise NothingToEdit(f"run {run_id} has succeeded")
        report = EditReport(run=run_id)
        return EditResponse(report=report) if request.dry_run else EditResponse(report=report, id="r2", url="/v1/r2")
