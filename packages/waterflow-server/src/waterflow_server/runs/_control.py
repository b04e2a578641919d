"""Control of living runs. What cannot be done in the run's state is an error, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import RunState, State, StepState, job_workflow_id, run_workflow_id

from ..engine._wire import (
    ANSWER_UPDATE,
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    PAUSE_UPDATE,
    Answer,
    CancelOrder,
    Event,
    PauseOrder,
)
from ._errors import AnswerRefused, NothingWaits, closed
from ._reading import RunReader
from ._tree import RPC_TIMEOUT, RunTree


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's answer to an approval. ``step`` is ``<job instance>/<step path>``; None = the only one that waits."""

    approved: bool
    by: str = ""
    comment: str = ""
    inputs: dict[str, Any] = {}
    step: str | None = None


class RunControl(RunReader):
    """Reads and controls runs of one Temporal namespace."""

    async def cancel(self, run_id: str, reason: str = "", *, force: bool = False) -> None:
        """Ask a run to end. Raises RunNotFound or RunClosed."""
        await self._signal(run_id, CANCEL_SIGNAL, CancelOrder(reason=reason, force=force))

    async def pause(self, run_id: str, reason: str = "") -> None:
        """Start nothing new; what runs finishes. Raises RunNotFound or RunClosed."""
        await self._update(run_id, PAUSE_UPDATE, PauseOrder(paused=True, reason=reason))

    async def resume(self, run_id: str) -> None:
        """Go on after a pause. Raises RunNotFound or RunClosed."""
        await self._update(run_id, PAUSE_UPDATE, PauseOrder(paused=False))

    async def event(self, run_id: str, event: Event) -> None:
        """Give a named event to the run. Raises RunNotFound or RunClosed."""
        await self._signal(run_id, EVENT_SIGNAL, event)

    async def answer(self, run_id: str, answer: Approval) -> None:
        """Approve or reject what waits. Raises RunNotFound, RunClosed, NothingWaits or AnswerRefused."""
        await self._living(run_id)
        job, path = _waiting(await self.get(run_id), answer.step)
        order = Answer(
            path=path,
            approved=answer.approved,
            at=datetime.now(UTC),
            by=answer.by,
            comment=answer.comment,
            inputs=answer.inputs,
        )
        handle = self._client.get_workflow_handle(job_workflow_id(run_id, job))
        try:
            await _execute(handle, ANSWER_UPDATE, order)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise AnswerRefused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from error

    async def _signal(self, run_id: str, signal: str, argument: msgspec.Struct) -> None:
        handle = await self._living(run_id)
        try:
            await handle.signal(signal, argument)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # it ended in between
                raise closed(run_id) from error
            raise

    async def _update(self, run_id: str, update: str, order: PauseOrder) -> None:
        handle = await self._living(run_id)
        try:
            await _execute(handle, update, order)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise closed(run_id) from error
            raise

    async def _living(self, run_id: str) -> WorkflowHandle[Any, Any]:
        """The handle of a run that has not ended."""
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        description = await RunTree(self._client, run_id).describe()
        if description.status is not WorkflowExecutionStatus.RUNNING:
            raise closed(run_id)
        return handle


def _waiting(run: RunState, wanted: str | None) -> tuple[str, str]:
    """The job instance and step path of the approval that is meant; raises NothingWaits."""
    found = [
        (job.instance, step.path)
        for job in run.jobs
        for step in _steps(job.steps)
        if step.state is State.WAITING and step.node == "approval"
    ]
    names = [f"{job}/{path}" for job, path in found]
    if wanted is not None:
        if wanted not in names:
            raise NothingWaits(f"no approval waits at {wanted}; waiting: {', '.join(names) or 'none'}")
        return found[names.index(wanted)]
    if len(found) != 1:
        more = f": say which one of {', '.join(names)}" if names else ""
        raise NothingWaits(f"{len(found) or 'no'} approvals wait in run {run.id}{more}")
    return found[0]


def _steps(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _steps(step.steps)


async def _execute(handle: WorkflowHandle[Any, Any], update: str, argument: msgspec.Struct) -> None:
    """An update, with a deadline: it would hang where no interpreter worker runs (measured; see the facts)."""
    await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - of temporalio
        update, argument, rpc_timeout=RPC_TIMEOUT
    )
