"""Workflows of a run that no interpreter can go on with: a server has a defect, or is older than the run.

Temporal gives such a workflow its task again and again, which goes well once a server is there that can do it, and
answers no queries until then. So the run is shown as Temporal knows it, and an end by force is an end from outside.
"""

from __future__ import annotations

import asyncio

import msgspec
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import WorkflowTaskFailedEventAttributes
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ErrorInfo, JobState, RunState

from ._asking import AT_ONCE
from ._listing import summary

STUCK = "interpreter-stuck"
"""Code of the error that such a run, or a job of it, is shown with."""

_ATTEMPTS = 3
"""A workflow task that is tried so often fails by itself; fewer may be due to a server that was killed."""

_LOOK_BACK = 10
"""Events from the end of the history among which the failure is: Temporal keeps the first of a row of failures."""

UNANSWERED = frozenset((RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED))
"""How a query of such a workflow ends: refused, or not answered in time during the first attempts."""


async def stuck(client: Client, workflow_id: str, error: RPCError) -> ErrorInfo | None:
    """What keeps a workflow that has answered a query with this error; None where it is not the workflow's fault.

    It is described anew: while the query was waiting, its tasks went on to fail.
    """
    if error.status not in UNANSWERED:
        return None
    description = await client.get_workflow_handle(workflow_id).describe()
    return await _explained(client, description) if _is_stuck(description) else None


def run_as_known(execution: WorkflowExecution, error: ErrorInfo) -> RunState:
    """The tree of a run that cannot be asked: without its jobs."""
    known = summary(execution)
    return RunState(
        id=known.id,
        name=known.name,
        state=known.state,
        reason=error.message,
        started_by=known.started_by,
        labels=known.labels,
        submitted=known.submitted,
        error=error,
    )


def job_as_known(job: JobState, error: ErrorInfo) -> JobState:
    """A job that cannot be asked, as its run knows it."""
    return msgspec.structs.replace(job, reason=error.message, error=error)


async def find_stuck(client: Client, workflow_id: str) -> list[str]:
    """The workflow and those below it, as far as they are stuck: their ids."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def find(workflow_id: str) -> list[str]:
        try:
            async with gate:
                description = await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return []  # it has been deleted meanwhile
        children = [child.workflow_id for child in description.raw_description.pending_children]
        below = await asyncio.gather(*(find(child) for child in children))
        return [workflow_id] * _is_stuck(description) + [each for found in below for each in found]

    return await find(workflow_id)


async def terminate(client: Client, workflow_id: str, reason: str) -> None:
    """End a workflow from outside. Temporal cancels its children then, so their steps end in an orderly way."""
    try:
        await client.get_workflow_handle(workflow_id).terminate(reason=reason)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
            raise


def _is_stuck(description: WorkflowExecutionDescription) -> bool:
    running = description.status is WorkflowExecutionStatus.RUNNING
    return running and description.raw_description.pending_workflow_task.attempt >= _ATTEMPTS


async def _explained(client: Client, description: WorkflowExecutionDescription) -> ErrorInfo:
    """Only the kind of a failure is shown: its message may hold values of the run, which nothing here can mask."""
    failure = await _last_failure(client, description)
    if failure is None:
        why = "its tasks take longer than Temporal allows"
    elif failure.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
        why = "it was begun by another version of the server, which this one cannot take over from"
    else:
        cause = await client.data_converter.decode_failure(failure.failure)
        kind = cause.type if isinstance(cause, ApplicationError) else type(cause).__name__
        why = f"the interpreter fails at it with {kind}; the server's log has the traceback"
    message = f"it cannot go on: {why}. It is tried again until a server can, or until it is cancelled by force"
    return ErrorInfo(code=STUCK, message=message)


async def _last_failure(
    client: Client, description: WorkflowExecutionDescription
) -> WorkflowTaskFailedEventAttributes | None:
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=Execution(workflow_id=description.id, run_id=description.run_id),
            maximum_page_size=_LOOK_BACK,
        )
    )
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    found = (event for event in answer.history.events if event.event_type == failed)
    return next((event.workflow_task_failed_event_attributes for event in found), None)
