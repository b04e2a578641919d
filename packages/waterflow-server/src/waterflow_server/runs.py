"""The run service: submit, look at and control runs. All state is in Temporal; nothing is kept here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_dsl.plan import Plan, encode_plan
from waterflow_sdk.wire import (
    ORCHESTRATOR_QUEUE,
    ErrorInfo,
    JobState,
    RunPage,
    RunState,
    RunSummary,
    State,
    job_workflow_id,
    run_workflow_id,
)

from . import _search_attributes as attributes
from .engine._wire import (
    CANCEL_SIGNAL,
    RUN_WORKFLOW,
    STATE_QUERY,
    CancelOrder,
    RunInput,
)

RUN_KIND = "run"
_QUERY_TIMEOUT = timedelta(seconds=10)
_QUERIES_AT_ONCE = 20


class RunError(Exception):
    """Base of what can go wrong with a run that is named. ``code`` is stable."""

    code = "run"


class RunNotFound(RunError):
    """There is no run with that id (or it is past retention)."""

    code = "run-not-found"


class RunClosed(RunError):
    """The run has ended: nothing can be done to it any more."""

    code = "run-closed"


class IdempotencyConflict(RunError):
    """The idempotency key was used before for another submission."""

    code = "idempotency-conflict"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A run to start: validated, compiled, all its values given."""

    plan: Plan
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: list[str] = []
    started_by: str = ""
    tenant_id: str | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None
    retry_safe: list[str] = []

    @property
    def fingerprint(self) -> str:
        """Digest of what would run; secret values do not enter it."""
        content = [encode_plan(self.plan), msgspec.json.encode([self.vars, self.inputs], order="sorted")]
        return hashlib.sha256(b"\0".join(content)).hexdigest()


class Runs:
    """Runs in one Temporal namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def submit(self, submission: Submission) -> tuple[str, bool]:
        """Start a run; returns its id and whether it is new (an idempotency key gives the same run again).

        Raises IdempotencyConflict when the key belongs to another workflow or other values.
        """
        now = datetime.now(UTC)
        run_id = _run_id(submission, now)
        delay = max(submission.run_at - now, timedelta(0)) if submission.run_at else None
        given = RunInput(
            id=run_id,
            plan=msgspec.Raw(encode_plan(submission.plan)),
            submitted=now,
            vars=submission.vars,
            inputs=submission.inputs,
            secrets=submission.secrets,
            labels=submission.labels,
            started_by=submission.started_by,
            retry_safe=submission.retry_safe,
        )
        try:
            await self._client.start_workflow(
                RUN_WORKFLOW,
                given,
                id=run_workflow_id(run_id),
                task_queue=ORCHESTRATOR_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=_search_attributes(submission),
                memo={"fingerprint": submission.fingerprint},
                start_delay=delay,
                static_summary=submission.plan.name,
            )
        except WorkflowAlreadyStartedError:
            await self._same_submission(run_id, submission)
            return run_id, False
        return run_id, True

    async def get(self, run_id: str, *, full: bool = True) -> RunState:
        """The state tree; ``full`` asks every job instance for its steps too. Raises RunNotFound.

        A job that waits for an agent is asked in any case: only it knows why it waits, and who has taken it.
        """
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        description = await self._describe(handle, run_id)
        state = await self._state(handle, description)
        gate = asyncio.Semaphore(_QUERIES_AT_ONCE)

        async def detailed(job: JobState) -> JobState:
            if not full and (job.agent is not None or job.state is not State.RUNNING):
                return job
            async with gate:
                found = await self._job(run_id, job)
            return found if full else msgspec.structs.replace(found, steps=[])

        jobs = await asyncio.gather(*(detailed(job) for job in state.jobs))
        return msgspec.structs.replace(state, jobs=list(jobs))

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

    async def cancel(self, run_id: str, reason: str = "", *, force: bool = False) -> None:
        """Ask a run to end. Raises RunNotFound or RunClosed."""
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        description = await self._describe(handle, run_id)
        if description.status is not WorkflowExecutionStatus.RUNNING:
            raise RunClosed(f"run {run_id} has ended; there is nothing to cancel")
        try:
            await handle.signal(CANCEL_SIGNAL, CancelOrder(reason=reason, force=force))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise RunClosed(f"run {run_id} has ended; there is nothing to cancel") from error
            raise

    async def _same_submission(self, run_id: str, submission: Submission) -> None:
        description = await self._client.get_workflow_handle(run_workflow_id(run_id)).describe()
        if (await description.memo()).get("fingerprint") != submission.fingerprint:
            raise IdempotencyConflict(
                f"the idempotency key {submission.idempotency_key!r} was used before for run {run_id}, "
                "which has another definition or other values; use a new key"
            )

    async def _describe(self, handle: WorkflowHandle[Any, Any], run_id: str) -> WorkflowExecution:
        try:
            return await handle.describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise RunNotFound(f"there is no run {run_id!r}; `waterflow list` shows the runs") from error
            raise

    async def _state(self, handle: WorkflowHandle[Any, Any], description: WorkflowExecution) -> RunState:
        if description.status is WorkflowExecutionStatus.RUNNING:
            return await handle.query(STATE_QUERY, result_type=RunState, rpc_timeout=_QUERY_TIMEOUT)
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
        handle = self._client.get_workflow_handle(job_workflow_id(run_id, job.instance))
        try:
            found = await handle.query(STATE_QUERY, result_type=JobState, rpc_timeout=_QUERY_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # it never started: refused, or cancelled before its turn
                return job
            raise
        return found


def _run_id(submission: Submission, now: datetime) -> str:
    """Readable and in time order; an idempotency key decides it wholly, so that no store is needed to find it again."""
    if submission.idempotency_key is not None:
        key = f"{submission.tenant_id or ''}\0{submission.idempotency_key}".encode()
        return f"k-{base64.b32encode(hashlib.sha256(key).digest()[:15]).decode().lower()}"
    return f"{now:%Y%m%d-%H%M%S}-{base64.b32encode(secrets.token_bytes(5)).decode().lower()}"


def _search_attributes(submission: Submission) -> TypedSearchAttributes:
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(attributes.KIND, RUN_KIND),
        SearchAttributePair(attributes.NAME, submission.plan.name[:200]),
        SearchAttributePair(attributes.STATE, State.RUNNING.value),
        SearchAttributePair(attributes.STARTED_BY, submission.started_by[:200]),
    ]
    if submission.labels:
        pairs.append(SearchAttributePair(attributes.TAGS, submission.labels))
    if submission.tenant_id:
        pairs.append(SearchAttributePair(attributes.TENANT, submission.tenant_id))
    return TypedSearchAttributes(pairs)


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
