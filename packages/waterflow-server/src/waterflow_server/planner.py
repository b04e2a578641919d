"""Plans as a service: of a file that is not submitted, and of a run."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from waterflow_sdk.wire import EditReport, PlanRequest, PlanView, SubmitRequest

from .catalog import MAX_AGE, Snapshot
from .engine._wire import RunInput
from .planning import Given, view_of
from .runs import Submission, read_plan
from .submissions import Examined, Prepared, render


class Checks(Protocol):
    """Judges files (:class:`waterflow_server.submissions.Submissions`)."""

    async def examine(self, request: SubmitRequest) -> Examined:
        """What is wrong with a file and what it gets; raises InvalidWorkflow where there is no plan."""
        ...

    async def prepare(self, request: SubmitRequest, started_by: str) -> Prepared:
        """The whole way of a submit but for the start; raises what a submit raises."""
        ...


class Originals(Protocol):
    """What runs were started with (:class:`waterflow_server.runs.Runs`)."""

    async def started_with(self, run_id: str) -> RunInput:
        """The input of a run; raises RunNotFound."""
        ...


class Comparison(Protocol):
    """Compares runs with other definitions (:class:`waterflow_server.runs.RunEdits`)."""

    async def compare(self, run_id: str, changed: Submission) -> EditReport:
        """What would differ from a run; raises RunNotFound."""
        ...


class CatalogSource(Protocol):
    """Gives the catalog (:class:`waterflow_server.catalog.NodeCatalog`)."""

    async def snapshot(self, max_age: float = MAX_AGE) -> Snapshot:
        """The catalog, at most so many seconds old."""
        ...


class Planner:
    """Tells what runs would do."""

    def __init__(self, checks: Checks, runs: Originals, edits: Comparison, catalog: CatalogSource) -> None:
        self._checks = checks
        self._runs = runs
        self._edits = edits
        self._catalog = catalog

    async def plan(self, request: PlanRequest, started_by: str) -> PlanView:
        """What a run of the file would do. Raises InvalidWorkflow; a dry run raises whatever a submit raises.

        With ``against`` raises RunNotFound too.
        """
        submit = SubmitRequest(
            yaml=request.yaml,
            filename=request.filename,
            files=request.files,
            vars=request.vars,
            inputs=request.inputs,
            secrets=request.secrets,
        )
        if request.dry_run and request.against is None:
            return await self.dry_run(submit, started_by)
        if request.against is not None:
            prepared = await self._checks.prepare(submit, started_by)
            view = await self._view(prepared.examined, submit, started_by, steps=request.dry_run)
            differs = await self._edits.compare(request.against, prepared.submission)
            return msgspec.structs.replace(view, differs=differs)
        return await self._view(await self._checks.examine(submit), submit, started_by, steps=False)

    async def dry_run(self, request: SubmitRequest, started_by: str) -> PlanView:
        """Everything that a submit does but the start, and what would then run, step by step. Raises what a submit
        raises.
        """
        prepared = await self._checks.prepare(request, started_by)
        return await self._view(prepared.examined, request, started_by, steps=True)

    async def of_run(self, run_id: str) -> PlanView:
        """What the run would do if it were started now, on the agents of this moment. Raises RunNotFound and
        PlanUnreadable.
        """
        run = await self._runs.started_with(run_id)
        plan = read_plan(run.plan, run_id)
        given = Given(
            vars=run.vars, inputs=run.inputs, secrets=run.secrets, started_by=run.started_by, labels=run.labels
        )
        snapshot = await self._catalog.snapshot()
        return await asyncio.to_thread(view_of, plan, given, snapshot)

    async def _view(self, examined: Examined, request: SubmitRequest, started_by: str, *, steps: bool) -> PlanView:
        given = Given(vars=request.vars, inputs=examined.inputs, secrets=request.secrets, started_by=started_by)
        view = await asyncio.to_thread(view_of, examined.plan, given, examined.snapshot, steps=steps)
        return msgspec.structs.replace(
            view,
            valid=examined.acceptable,
            diagnostics=[*render(examined.diagnostics), *examined.unavailable],
            problems=examined.problems,
        )
