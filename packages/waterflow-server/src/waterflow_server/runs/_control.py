"""Control of living runs. What cannot be done in the run's state is an error, never ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import job_workflow_id, run_workflow_id

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
from ._approvals import Approval, Asked, answered_already, asked_for, checked_inputs
from ._asking import RPC_TIMEOUT
from ._errors import AnswerRefused, NothingWaits, RunCrowded, RunError, closed
from ._reading import RunReader
from ._stuck import find_stuck, terminate
from ._tree import RunTree

CROWDED = 40_000
"""Events in a run's history above which it takes no more from outside: Temporal ends a workflow at 51,200."""


class RunControl(RunReader):
    """Reads and controls runs of one Temporal namespace."""

    async def cancel(self, run_id: str, reason: str = "", *, force: bool = False) -> None:
        """Ask a run to end. Raises RunNotFound or RunClosed.

        By force, what no interpreter can go on with is ended through Temporal: it would never hear. It is looked for
        before anything is said, because whatever a workflow hears makes Temporal count its attempts anew.
        """
        deaf = await find_stuck(self._client, run_workflow_id(run_id)) if force else []
        await self._signal(run_id, CANCEL_SIGNAL, CancelOrder(reason=reason, force=force))
        for workflow_id in deaf:
            await terminate(self._client, workflow_id, reason or "cancelled by force")

    async def pause(self, run_id: str, reason: str = "") -> None:
        """Start nothing new; what runs finishes. Raises RunNotFound or RunClosed."""
        await self._update(run_id, PAUSE_UPDATE, PauseOrder(paused=True, reason=reason))

    async def resume(self, run_id: str) -> None:
        """Go on after a pause. Raises RunNotFound or RunClosed."""
        await self._update(run_id, PAUSE_UPDATE, PauseOrder(paused=False))

    async def event(self, run_id: str, event: Event) -> None:
        """Give a named event to the run. Raises RunNotFound, RunClosed or RunCrowded."""
        await self._signal(run_id, EVENT_SIGNAL, event, most=CROWDED)

    async def answer(self, run_id: str, answer: Approval) -> None:
        """Approve or reject what waits; the same answer again changes nothing.

        Raises RunNotFound, RunClosed, NothingWaits, AnswerRefused, or InvalidAnswer for inputs that are not asked for.
        """
        await self._living(run_id)
        for asked in asked_for(await self.get(run_id), answer.step):
            if not answered_already(asked, answer):
                await self._give(run_id, asked, answer)

    async def _give(self, run_id: str, asked: Asked, answer: Approval) -> None:
        order = Answer(
            path=asked.approval.path,
            approved=answer.approved,
            at=datetime.now(UTC),
            by=answer.by,
            comment=answer.comment,
            inputs=checked_inputs(asked.approval, answer),
        )
        handle = self._client.get_workflow_handle(job_workflow_id(run_id, asked.job))
        try:
            await _execute(handle, ANSWER_UPDATE, order)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            message = cause.message if isinstance(cause, ApplicationError) else str(cause)
            await self._unless_answered(run_id, asked, answer, AnswerRefused(message))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            gone = NothingWaits(f"no approval waits at {asked.name} any more")
            await self._unless_answered(run_id, asked, answer, gone)

    async def _unless_answered(self, run_id: str, asked: Asked, answer: Approval, refusal: RunError) -> None:
        """Somebody else was quicker: with the same answer nothing is refused."""
        found = [each for each in asked_for(await self.get(run_id), asked.name) if answered_already(each, answer)]
        if not found:
            raise refusal

    async def _signal(self, run_id: str, signal: str, argument: msgspec.Struct, *, most: int | None = None) -> None:
        handle = await self._living(run_id, most)
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

    async def _living(self, run_id: str, most: int | None = None) -> WorkflowHandle[Any, Any]:
        """The handle of a run that has not ended, and whose history has no more than so many events."""
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        description = await RunTree(self._client, run_id).describe()
        if description.status is not WorkflowExecutionStatus.RUNNING:
            raise closed(run_id)
        if most is not None and description.history_length > most:
            raise RunCrowded(f"run {run_id} has heard too much already; what it still has room for is its own end")
        return handle


async def _execute(handle: WorkflowHandle[Any, Any], update: str, argument: msgspec.Struct) -> None:
    """An update, with a deadline: it would hang where no interpreter worker runs (measured; see the facts)."""
    await handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - of temporalio
        update, argument, rpc_timeout=RPC_TIMEOUT
    )
