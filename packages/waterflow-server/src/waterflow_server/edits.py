"""Fix-and-continue as a service: from a changed file and an old run to a report, and to the run that goes on."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Protocol, TypeVar

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import EditReport, EditRequest, EditResponse, RunState, SubmitRequest

from .engine._values import StepFailure
from .engine._wire import RunInput
from .engine.expansion import elements
from .planning import Given, NotKnown, Outlook
from .runs import Submission
from .submissions import Examined, Prepared, render

Value = TypeVar("Value")


class Checks(Protocol):
    """Judges files (:class:`waterflow_server.submissions.Submissions`)."""

    async def examine(self, request: SubmitRequest) -> Examined:
        """What is wrong with a file and what it gets; raises InvalidWorkflow where there is no plan."""
        ...

    async def prepare(self, request: SubmitRequest, started_by: str) -> Prepared:
        """The whole way of a submit but for the start; raises what a submit raises."""
        ...


class EditedRuns(Protocol):
    """Runs that go on (:class:`waterflow_server.runs.RunEdits`)."""

    async def check(self, run_id: str) -> RunState:
        """The run, if it may be edited."""
        ...

    async def compare(self, run_id: str, changed: Submission) -> EditReport:
        """What would be kept."""
        ...

    async def edit(self, run: RunState, changed: Submission) -> tuple[EditReport, str]:
        """Start the run that goes on."""
        ...


class Originals(Protocol):
    """What runs were started with (:class:`waterflow_server.runs.Runs`)."""

    async def started_with(self, run_id: str) -> RunInput:
        """The input of a run; raises RunNotFound."""
        ...


class Edits:
    """Lets runs go on with changed definitions."""

    def __init__(self, checks: Checks, originals: Originals, runs: EditedRuns) -> None:
        self._checks = checks
        self._originals = originals
        self._runs = runs

    async def edit(self, run_id: str, request: EditRequest, started_by: str) -> EditResponse:
        """The report, and unless it is a dry run the new run.

        Raises RunNotFound, RunNotEnded, NothingToEdit, and what a submit of the changed file raises.
        """
        run = await self._runs.check(run_id)
        prepared = await self._checks.prepare(await self._merged(run.id, request), started_by)
        warnings = render(prepared.examined.diagnostics)
        if request.dry_run:
            report = await self._runs.compare(run.id, prepared.submission)
            return EditResponse(report=report, warnings=warnings)
        report, new_id = await self._runs.edit(run, prepared.submission)
        return EditResponse(report=report, id=new_id, url=f"/v1/workflows/{new_id}", warnings=warnings)

    async def _merged(self, run_id: str, request: EditRequest) -> SubmitRequest:
        """The submit of the changed file: with what the old run got, as far as the file still asks for it."""
        original = await self._originals.started_with(run_id)
        merged = msgspec.structs.replace(
            _submit(request),
            vars={**original.vars, **request.vars},
            inputs={**original.inputs, **request.inputs},
            secrets={**original.secrets, **request.secrets},
            labels=original.labels,
        )
        plan = (await self._checks.examine(merged)).plan
        used = [name for name in original.vars if name in plan.vars or name in request.yaml]
        return msgspec.structs.replace(
            merged,
            vars=_kept(original.vars, used) | request.vars,
            inputs=_kept(original.inputs, plan.inputs) | request.inputs,
            secrets=_kept(original.secrets, plan.secrets) | request.secrets,
        )


def _submit(request: EditRequest) -> SubmitRequest:
    return SubmitRequest(yaml=request.yaml, filename=request.filename, files=request.files)


def _kept(values: dict[str, Value], names: Container[str]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in names}


class KnownElements:
    """What the jobs of a definition are repeated for, where that is known before the run."""

    def __init__(self, changed: Submission) -> None:
        given = Given(vars=changed.vars, inputs=changed.inputs, started_by=changed.started_by, labels=changed.labels)
        self._outlook = Outlook(changed.plan, given)

    def __call__(self, job: JobPlan) -> list[dict[str, Any]] | None:
        try:
            return elements(job, self._outlook.forecast(job))
        except (NotKnown, StepFailure):
            return None
