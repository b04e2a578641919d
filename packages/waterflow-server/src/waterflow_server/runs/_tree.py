"""One run's state tree from Temporal: the run's part, and that of each job instance."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ErrorInfo, JobState, RunState, State, job_workflow_id, run_workflow_id

from ..concurrency import Lines
from ..engine._wire import STATE_QUERY
from ._asking import RPC_TIMEOUT
from ._called import with_called
from ._errors import RunNotFound
from ._listing import summary
from ._shards import with_shards
from ._stuck import job_as_known, run_as_known, stuck

Waiter = TypeVar("Waiter", RunState, JobState)


class RunTree:
    """Reads the tree of one run."""

    def __init__(self, client: Client, run_id: str) -> None:
        self._client = client
        self._id = run_id
        self._lines = Lines(client)

    async def describe(self) -> WorkflowExecution:
        """What Temporal itself knows of the run. Raises RunNotFound."""
        try:
            return await self._client.get_workflow_handle(run_workflow_id(self._id)).describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise RunNotFound(f"there is no run {self._id!r}") from error
            raise

    async def run(self, description: WorkflowExecution) -> RunState:
        """The run's own part: by a query while it lives, then its result. Raises RunNotFound."""
        try:
            return await self._own(description)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # it was forgotten since it was described
                raise RunNotFound(f"there is no run {self._id!r}") from error
            if (kept := await stuck(self._client, description.id, error)) is None:
                raise
            return run_as_known(description, kept)

    async def _own(self, description: WorkflowExecution) -> RunState:
        if description.status is WorkflowExecutionStatus.RUNNING:
            handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(description.id)
            state: RunState = await handle.query(STATE_QUERY, result_type=RunState, rpc_timeout=RPC_TIMEOUT)
            state = await with_shards(self._client, self._id, state)
        else:
            state = await self._result(description)
        return await self._explained(state, description.id)

    async def whole(self, state: RunState) -> RunState:
        """The run's own part with the jobs of the workflows that it calls, each behind the job that calls it."""
        return msgspec.structs.replace(state, jobs=await with_called(self._client, self._id, state.jobs))

    async def job(self, job: JobState) -> JobState:
        """The job instance with its steps, as it says itself; as the run knows it where it never started."""
        if never_asked(job):
            return job
        handle = self._client.get_workflow_handle(self.job_id(job))
        try:
            found = await handle.query(STATE_QUERY, result_type=JobState, rpc_timeout=RPC_TIMEOUT)
        except (RPCError, WorkflowQueryFailedError) as error:
            return await self._unasked(job, error)
        if job.state.ended and not found.state.ended:  # it was ended through Temporal, and could not say so any more
            found = msgspec.structs.replace(found, state=job.state, reason=job.reason, error=job.error, ended=job.ended)
        found = msgspec.structs.replace(found, id=job.id, kept_from=job.kept_from, batch=job.batch, gate=job.gate)
        return await self._explained(found, handle.id)

    async def _unasked(self, job: JobState, error: RPCError | WorkflowQueryFailedError) -> JobState:
        """A job instance that does not answer, as its run knows it."""
        status = error.status if isinstance(error, RPCError) else RPCStatusCode.FAILED_PRECONDITION
        if status is RPCStatusCode.NOT_FOUND:  # it never started, or it was kept from a run that was deleted
            return job
        if (
            status is RPCStatusCode.FAILED_PRECONDITION and job.state.ended
        ):  # ended from outside, and never able to tell
            return job
        if isinstance(error, RPCError) and (kept := await stuck(self._client, self.job_id(job), error)):
            return job_as_known(job, kept)
        raise error

    def job_id(self, job: JobState) -> str:
        """The workflow of a job instance; of one whose result was kept, that of the run it was kept from."""
        return job_workflow_id(job.kept_from or self._id, job.instance)

    async def _result(self, description: WorkflowExecution) -> RunState:
        closed: WorkflowHandle[Any, RunState] = self._client.get_workflow_handle(
            description.id, run_id=description.run_id, result_type=RunState
        )
        try:
            return await closed.result()
        except WorkflowFailureError as error:
            return _ended_from_outside(description, str(error.cause))

    async def _explained(self, state: Waiter, workflow_id: str) -> Waiter:
        """Who holds the concurrency group that a run or job waits for: only the group's coordinator knows."""
        if state.state is not State.QUEUED or not state.concurrency:
            return state
        reason = await self._lines.why(state.concurrency, workflow_id)
        return msgspec.structs.replace(state, reason=reason or state.reason)


def never_asked(job: JobState) -> bool:
    """Whether the instance has no workflow of its own yet, or never gets one."""
    return job.state in (State.PENDING, State.SKIPPED) and job.agent is None


def _ended_from_outside(description: WorkflowExecution, cause: str) -> RunState:
    """A run whose workflow was terminated through Temporal itself: nobody could write its result."""
    known = summary(description)
    reason = f"the run's workflow was ended through Temporal: {cause}"
    return RunState(
        id=known.id,
        name=known.name,
        state=known.state,
        reason=reason,
        started_by=known.started_by,
        labels=known.labels,
        submitted=known.submitted,
        ended=known.ended,
        error=ErrorInfo(code="ended-from-outside", message=reason),
    )
