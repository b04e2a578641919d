"""Looking at runs: one run's state tree, and lists from visibility alone."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import (
    ErrorInfo,
    JobState,
    RunPage,
    RunState,
    RunSummary,
    State,
    job_workflow_id,
    run_workflow_id,
)

from .. import _search_attributes as attributes
from ..concurrency import Lines
from ..engine._wire import STATE_QUERY
from ._errors import RunNotFound
from ._submission import RUN_KIND

RPC_TIMEOUT = timedelta(seconds=10)
_QUERIES_AT_ONCE = 20

Waiter = TypeVar("Waiter", RunState, JobState)


class RunReader:
    """Reads runs of one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, run_id: str, *, full: bool = True) -> RunState:
        """The state tree; ``full`` asks every job instance for its steps too. Raises RunNotFound.

        A job that waits for an agent is asked in any case: only it knows why it waits, and who has taken it.
        """
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        description = await self._describe(handle, run_id)
        state = await self._state(handle, description)
        gate, lines = asyncio.Semaphore(_QUERIES_AT_ONCE), Lines(self._client)

        async def detailed(job: JobState) -> JobState:
            if not full and (job.agent is not None or job.state is not State.RUNNING):
                return job
            async with gate:
                found = await self._job(run_id, job)
            found = await _explained(found, job_workflow_id(run_id, job.instance), lines)
            return found if full else msgspec.structs.replace(found, steps=[])

        jobs = await asyncio.gather(*(detailed(job) for job in state.jobs))
        state = await _explained(state, handle.id, lines)
        retries = await self._retries(run_id) if full else []
        return msgspec.structs.replace(state, jobs=list(jobs), retries=retries)

    async def list(
        self,
        *,
        states: Sequence[State] = (),
        name: str | None = None,
        label: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """Runs, newest first, from visibility alone. Raises ValueError for a cursor that is not one of ours."""
        terms = [f"{attributes.KIND.name} = '{RUN_KIND}'"]
        if states:
            wanted = " OR ".join(f"{attributes.STATE.name} = {_quote(state.value)}" for state in states)
            terms.append(f"({wanted})")
        if name:
            terms.append(f"{attributes.NAME.name} = {_quote(name)}")
        if label:
            terms.append(f"{attributes.TAGS.name} = {_quote(label)}")
        token = base64.urlsafe_b64decode(cursor) if cursor else None
        found = self._client.list_workflows(" AND ".join(terms), page_size=limit, next_page_token=token)
        await found.fetch_next_page()
        items = [_summary(execution) for execution in found.current_page or []]
        following = base64.urlsafe_b64encode(found.next_page_token).decode() if found.next_page_token else None
        return RunPage(items=items, next=following)

    async def _describe(self, handle: WorkflowHandle[Any, Any], run_id: str) -> WorkflowExecution:
        try:
            return await handle.describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise RunNotFound(f"there is no run {run_id!r}") from error
            raise

    async def _state(self, handle: WorkflowHandle[Any, Any], description: WorkflowExecution) -> RunState:
        if description.status is WorkflowExecutionStatus.RUNNING:
            return await handle.query(STATE_QUERY, result_type=RunState, rpc_timeout=RPC_TIMEOUT)
        closed: WorkflowHandle[Any, RunState] = self._client.get_workflow_handle(
            handle.id, run_id=description.run_id, result_type=RunState
        )
        try:
            return await closed.result()
        except WorkflowFailureError as error:
            return _ended_from_outside(description, str(error.cause))

    async def _job(self, run_id: str, job: JobState) -> JobState:
        if job.state in (State.PENDING, State.SKIPPED) and job.agent is None:
            return job
        handle = self._client.get_workflow_handle(job_workflow_id(job.kept_from or run_id, job.instance))
        try:
            found = await handle.query(STATE_QUERY, result_type=JobState, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # it never started: refused, or cancelled before its turn
                return job
            raise
        return msgspec.structs.replace(found, kept_from=job.kept_from)

    async def _retries(self, run_id: str) -> list[str]:
        """The runs that retry this one, oldest first."""
        query = f"{attributes.LINK.name} = {_quote(run_id)}"
        found = [execution async for execution in self._client.list_workflows(query)]
        return [each.id.removeprefix("run/") for each in sorted(found, key=lambda each: each.start_time)]


async def _explained(state: Waiter, workflow_id: str, lines: Lines) -> Waiter:
    """Who holds the concurrency group that a run or job waits for: only the group's coordinator knows."""
    if state.state is not State.QUEUED or not state.concurrency:
        return state
    reason = await lines.why(state.concurrency, workflow_id)
    return msgspec.structs.replace(state, reason=reason or state.reason)


def _summary(execution: WorkflowExecution) -> RunSummary:
    known = execution.typed_search_attributes
    state = State(known.get(attributes.STATE) or State.RUNNING.value)
    if execution.status not in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED):
        state = _OUTSIDE.get(execution.status, State.FAILED) if execution.status else state
    return RunSummary(
        id=execution.id.removeprefix("run/"),
        name=known.get(attributes.NAME) or "",
        state=state,
        started_by=known.get(attributes.STARTED_BY) or "",
        labels=list(known.get(attributes.TAGS) or []),
        submitted=execution.start_time,
        ended=execution.close_time,
    )


_OUTSIDE = {
    WorkflowExecutionStatus.TERMINATED: State.CANCELLED,
    WorkflowExecutionStatus.CANCELED: State.CANCELLED,
    WorkflowExecutionStatus.TIMED_OUT: State.TIMED_OUT,
}


def _ended_from_outside(description: WorkflowExecution, cause: str) -> RunState:
    """A run whose workflow was terminated through Temporal itself: nobody could write its result."""
    summary = _summary(description)
    reason = f"the run's workflow was ended through Temporal: {cause}"
    return RunState(
        id=summary.id,
        name=summary.name,
        state=summary.state,
        reason=reason,
        started_by=summary.started_by,
        labels=summary.labels,
        submitted=summary.submitted,
        ended=summary.ended,
        error=ErrorInfo(code="ended-from-outside", message=reason),
    )


def _quote(value: str) -> str:
    """A string of Temporal's list filter. There is no escape in it, so quotes cannot be part of a value."""
    if "'" in value and '"' in value:
        raise ValueError(f"a filter value cannot hold both kinds of quotes: {value}")
    return f'"{value}"' if "'" in value else f"'{value}'"
