"""The run service. All state is in Temporal; nothing is kept here."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import msgspec
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from waterflow_dsl.plan import encode_plan
from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, State, run_workflow_id

from ..concurrency import LockRequest, enqueue
from ..engine._concurrency import run_lock
from ..engine._values import StepFailure
from ..engine._wire import RUN_WORKFLOW, RunInput
from ._control import RunControl
from ._errors import IdempotencyConflict, InvalidConcurrency
from ._submission import Submission, new_run_id, search_attributes

_log = logging.getLogger("waterflow.runs")


class Runs(RunControl):
    """Starts, reads and controls runs in one Temporal namespace."""

    async def submit(self, submission: Submission) -> tuple[str, bool]:
        """Start a run; returns its id and whether it is new (an idempotency key gives the same run again).

        Raises IdempotencyConflict when the key belongs to another workflow or other values, and InvalidConcurrency.
        """
        now = datetime.now(UTC)
        run_id = new_run_id(submission, now)
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
        lock = _lock(given, submission)
        if delay is None:  # one that starts later gets in line by itself then; a signal would start it at once
            given = msgspec.structs.replace(given, concurrency=lock)
        try:
            await self._client.start_workflow(
                RUN_WORKFLOW,
                given,
                id=run_workflow_id(run_id),
                task_queue=ORCHESTRATOR_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=search_attributes(submission, State.QUEUED if lock else State.RUNNING),
                memo={"fingerprint": submission.fingerprint},
                start_delay=delay,
                static_summary=submission.plan.name,
            )
        except WorkflowAlreadyStartedError:
            await self._same_submission(run_id, submission)
            return run_id, False
        if given.concurrency is not None:
            await self._get_in_line(given.concurrency)
        return run_id, True

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
