"""Fix-and-continue: a run that failed or is paused goes on with another definition, as a new run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
from temporalio.client import Client

from waterflow_sdk.wire import EditReport, JobState, RunState, State, StepState, run_workflow_id

from ..engine._wire import ResumePoint, RunInput
from ..engine.nodes import CONTROL_NODES_RUN
from ._asking import AT_ONCE
from ._edit import Edit, Elements, Side, plan_edit
from ._errors import NothingToEdit, RunNotEnded
from ._plans import read_plan
from ._service import Runs
from ._submission import Submission

ENDS_WITHIN = 30.0
"""Seconds that a paused run gets to end once it is cancelled."""


ElementsOf = Callable[[Submission], Elements]
"""Tells what the jobs of a definition are repeated for, as far as that is known before the run."""


class RunEdits:
    """Compares runs with changed definitions and starts the runs that go on."""

    def __init__(self, client: Client, runs: Runs, elements: ElementsOf) -> None:
        self._client = client
        self._runs = runs
        self._elements = elements

    async def compare(self, run_id: str, changed: Submission) -> EditReport:
        """What would be kept of a run and what would run again. Raises RunNotFound."""
        return (await self._decide(await self._runs.get(run_id, full=True), changed)).report

    async def check(self, run_id: str) -> RunState:
        """The run that may go on with another definition: this one, or the one that it would have repeated.

        Raises RunNotFound, RunNotEnded and NothingToEdit.
        """
        run = await self._runs.get(run_id, full=True)
        if run.state.ended and run.started is None and run.link is not None:  # a retry that was cancelled in line
            return await self.check(run.link)
        if run.state is State.SUCCESS:
            raise NothingToEdit(f"run {run_id} has succeeded: submit the changed file as a run of its own")
        if not run.state.ended and run.state is not State.PAUSED:
            raise RunNotEnded(
                f"run {run_id} is {run.state.value}: pause it and let its running steps finish, or cancel it, "
                "before it goes on with another definition"
            )
        busy = next((f"{job.instance}/{step.path}" for job in run.jobs for step in _busy(job.steps)), None)
        if not run.state.ended and busy is not None:
            raise RunNotEnded(f"run {run_id} is paused, but {busy} still runs: try again when it has ended")
        return run

    async def edit(self, run: RunState, changed: Submission) -> tuple[EditReport, str]:
        """Go on with another definition: the report, and the id of the new run. Raises RunNotEnded.

        A paused run is cancelled first, without its ``finally``: that would take away what the kept steps have built,
        and the new run has a ``finally`` of its own.
        """
        if not run.state.ended:
            await self._runs.cancel(run.id, "goes on with a changed definition", force=True)
            await self._ended(run.id)
            run = await self._runs.get(run.id, full=True)
        decided = await self._decide(run, changed)
        new_id, _ = await self._runs.submit(
            msgspec.structs.replace(changed, link=run.id, kept=decided.kept, resume=decided.resume)
        )
        return decided.report, new_id

    async def _ended(self, run_id: str) -> None:
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await handle.result()
        except TimeoutError:
            raise RunNotEnded(
                f"run {run_id} was cancelled and has not ended within {ENDS_WITHIN:g} seconds; "
                "edit it again when it has"
            ) from None

    async def _decide(self, run: RunState, changed: Submission) -> Edit:
        original = await self._runs.started_with(run.id)
        points = await self._points(run)
        new = Side(
            plan=changed.plan,
            called={key: plan.hash for key, plan in changed.called.items()},
            vars=changed.vars,
            inputs=changed.inputs,
            secrets=changed.secrets,
        )
        elements = self._elements(changed)
        return await asyncio.to_thread(plan_edit, _side(original), new, run, points, elements)

    async def _points(self, run: RunState) -> dict[str, ResumePoint | None]:
        """Where the instances of the run can go on."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def of(job: JobState) -> tuple[str, ResumePoint | None]:
            async with gate:
                return job.instance, await self._runs.resume_point(job.kept_from or run.id, job.instance)

        begun = [job for job in run.jobs if job.agent is not None and "/" not in job.id]
        return dict(await asyncio.gather(*(of(job) for job in begun)))


def _side(run: RunInput) -> Side:
    others = {key: raw for key, raw in run.workflows.plans.items() if bytes(raw) != bytes(run.plan)}
    called = {key: read_plan(raw, run.id).hash for key, raw in others.items()}
    return Side(plan=read_plan(run.plan, run.id), called=called, vars=run.vars, inputs=run.inputs, secrets=run.secrets)


def _busy(steps: Sequence[StepState]) -> Iterator[StepState]:
    """Steps that run on an agent now."""
    for step in steps:
        yield from _busy(step.steps)
        if step.state is State.RUNNING and not step.steps and step.node not in CONTROL_NODES_RUN:
            yield step
