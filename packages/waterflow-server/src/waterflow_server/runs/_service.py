"""The run service. All state is in Temporal; nothing is kept here."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import msgspec
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, AgentStatus, RetryRequest, State, job_workflow_id, run_workflow_id

from .._settings_table import HISTORY_EVENTS
from ..concurrency import LockRequest, enqueue
from ..engine._values import StepFailure
from ..engine._wire import RESUME_QUERY, RUN_WORKFLOW, ResumePoint, RunInput
from ..engine.run import run_lock
from ..presence import AgentRegistry
from ._asking import AT_ONCE, RPC_TIMEOUT
from ._control import RunControl
from ._errors import IdempotencyConflict, InvalidConcurrency, RunNotEnded, RunNotFound
from ._forgetting import forget
from ._plans import read_plan
from ._retry import Retry, plan_retry, trimmed
from ._submission import Submission, new_run_id, run_input, search_attributes, unpack
from ._tree import RunTree

_log = logging.getLogger("waterflow.runs")


class Runs(RunControl):
    """Starts, reads and controls runs in one Temporal namespace.

    ``history_events``: how long the history of a workflow may grow before it goes on in a new one.
    """

    def __init__(self, client: Client, history_events: int = HISTORY_EVENTS) -> None:
        super().__init__(client)
        self._history_events = history_events

    async def submit(self, submission: Submission) -> tuple[str, bool]:
        """Start a run; returns its id and whether it is new (an idempotency key gives the same run again).

        Raises IdempotencyConflict when the key belongs to another workflow or other values, and InvalidConcurrency.
        """
        now = datetime.now(UTC)
        run_id = new_run_id(submission, now)
        given = run_input(submission, run_id, now, self._history_events)
        lock = _lock(given, submission)
        if given.run_at is None:  # one that starts later gets in line then, by itself
            given = msgspec.structs.replace(given, concurrency=lock)
        state = State.QUEUED if lock or given.run_at else State.RUNNING
        try:
            await self._client.start_workflow(
                RUN_WORKFLOW,
                given,
                id=run_workflow_id(run_id),
                task_queue=ORCHESTRATOR_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=search_attributes(submission, state),
                memo={"fingerprint": submission.fingerprint},
                static_summary=submission.plan.name,
            )
        except WorkflowAlreadyStartedError:
            await self._same_submission(run_id, submission)
            return run_id, False
        if given.concurrency is not None:
            await self._get_in_line(given.concurrency)
        return run_id, True

    async def retry(self, run_id: str, request: RetryRequest, started_by: str) -> str:
        """Start a new run that keeps what has succeeded; returns its id.

        Raises RunNotFound, RunNotEnded, NothingToRetry and PlanUnreadable.
        """
        run = await self.get(run_id, full=False)
        if not run.state.ended:
            raise RunNotEnded(f"run {run_id} has not ended; cancel it first, or wait")
        if run.started is None and run.link is not None:  # a retry that was cancelled in line
            return await self.retry(run.link, request, started_by)
        original = await self.started_with(run_id)
        plan = read_plan(original.plan, run_id)
        called = {key: read_plan(raw, run_id) for key, raw in original.workflows.plans.items()}
        decided = plan_retry(plan, run, request, called)
        points = await self._resume_points(decided, request)
        new_id, _ = await self.submit(
            Submission(
                plan=plan,
                vars=original.vars,
                inputs=original.inputs,
                secrets=original.secrets,
                labels=original.labels,
                started_by=started_by,
                retry_safe=original.retry_safe,
                target_all=original.target_all,
                event=original.event,
                link=run_id,
                called=called,
                source=unpack(original.source),
                filename=original.filename,
                kept=decided.kept,
                resume=points,
            )
        )
        return new_id

    async def _resume_points(self, decided: Retry, request: RetryRequest) -> dict[str, ResumePoint]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def asked(name: str, run_id: str) -> tuple[str, ResumePoint | None]:
            async with gate:
                return name, await self.resume_point(run_id, name)

        points = dict(await asyncio.gather(*(asked(name, run_id) for name, run_id in decided.resume.items())))
        if decided.before is not None:
            return trimmed(points, decided.before, request.step or "")
        return {name: point for name, point in points.items() if point is not None}

    async def definition(self, run_id: str) -> tuple[str, str]:
        """The workflow file as it was submitted, and its name. Raises RunNotFound."""
        original = await self.started_with(run_id)
        if not original.source:
            raise RunNotFound(f"run {run_id} was started by a version of the server that did not keep its file")
        return unpack(original.source), original.filename

    async def forget(self, run_id: str) -> bool:
        """Remove a run that has ended, and its jobs, from Temporal; false where that still takes a while.

        Raises RunNotFound and RunNotEnded.
        """
        return await forget(self._client, run_id)

    async def started_with(self, run_id: str) -> RunInput:
        """What the run was started with: the input in the first event of its history. Raises RunNotFound."""
        await RunTree(self._client, run_id).describe()
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        async for event in handle.fetch_history_events(page_size=1):
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            values = await self._client.data_converter.decode(payloads, [RunInput])
            return values[0]
        raise RunNotFound(f"run {run_id} has no history any more")

    async def resume_point(self, run_id: str, instance: str) -> ResumePoint | None:
        """Where the instance can go on; None when its host is away, because its workspace is there."""
        handle = self._client.get_workflow_handle(job_workflow_id(run_id, instance))
        try:
            point = await handle.query(RESUME_QUERY, result_type=ResumePoint, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        agent = await AgentRegistry(self._client).get(point.agent.id) if point.agent else None
        return point if agent is not None and agent.status is AgentStatus.ONLINE else None

    async def _get_in_line(self, lock: LockRequest) -> None:
        try:
            await enqueue(self._client, lock)
        except RPCError as error:
            _log.warning("%s has to get in line for its concurrency group by itself: %s", lock.member.id, error)

    async def _same_submission(self, run_id: str, submission: Submission) -> None:
        description = await self._client.get_workflow_handle(run_workflow_id(run_id)).describe()
        if (await description.memo()).get("fingerprint") != submission.fingerprint:
            raise IdempotencyConflict(
                f"the idempotency key {submission.idempotency_key!r} was used before for run {run_id}, "
                "which has another definition or other values; use a new key"
            )


def _lock(given: RunInput, submission: Submission) -> LockRequest | None:
    try:
        return run_lock(given, submission.plan, given.submitted.isoformat().replace("+00:00", "Z"))
    except StepFailure as failure:
        raise InvalidConcurrency(str(failure)) from failure
