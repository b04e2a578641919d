"""Brings one attempt to its agent and its outcome back, over outages.

An attempt that is lost on the way (heartbeat or schedule-to-start time-out) is sent *again to the same agent*: the
agent adopts the living process or returns the outcome that it has journalled. Only when nobody picks it up for the
agent-loss time is the agent lost for good, and then the policy decides.
"""

from __future__ import annotations

import asyncio
import builtins
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError, TimeoutType

from waterflow_sdk.wire import EXECUTE_ACTIVITY, ErrorInfo, NodeOutcome, NodeTask, State, agent_queue

from .._agents import is_online
from .._policy import AttemptPolicy
from .._progress import Progress
from ..memory._records import AttemptRecord
from ..signals._stop import Stop
from ._context import JobContext

FIRST_PATIENCE = 15.0
"""Seconds that a first delivery may lie in the private queue before the interpreter asks whether the agent is there."""

WAIT_PATIENCE = 300.0
"""The same while a policy says to wait for the agent."""

FORCED_PATIENCE = 2.0
"""Seconds that the agent of a step has to tell how it ended after a stop by force; then the step is over without it."""

PATCH_FORCED = "2026-11-forced-at-once"

_ONCE = RetryPolicy(maximum_attempts=1)


class AgentLostError(Exception):
    """Nobody picked the attempt up for as long as the policy waits."""


async def deliver(
    task: NodeTask, policy: AttemptPolicy, record: AttemptRecord, progress: Progress, job: JobContext
) -> NodeOutcome:
    """Run one attempt to its outcome; raises :class:`AgentLostError` when its agent is lost for good."""
    stop = job.stop
    while True:
        sent = workflow.now()
        outcome = await _send(task, policy, _patience(policy, progress.lost_since), stop)
        if isinstance(outcome, NodeOutcome):
            return outcome
        if stop.cancelled:
            return unreached(task, State.CANCELLED, "cancelled", f"{stop.reason}; its agent could not be reached")
        never_started = outcome is TimeoutType.SCHEDULE_TO_START
        if never_started and await is_online(task.agent):
            record.reason = f"agent {task.agent.name} is busy"
            progress.lost_since = None
        else:
            _note_loss(record, progress, task, sent if never_started else workflow.now())
            if policy.loss.policy != "wait" and _elapsed(progress.lost_since or sent) >= policy.loss.wait:
                raise AgentLostError(f"{record.reason}; nobody there for {policy.loss.wait:g} s")
        await job.roll.passed()


def _note_loss(record: AttemptRecord, progress: Progress, task: NodeTask, moment: datetime) -> None:
    progress.lost_since = progress.lost_since or moment
    record.lost += 1
    record.reason = f"lost contact with agent {task.agent.name} at {progress.lost_since:%H:%M:%S}"


def _elapsed(since: datetime) -> float:
    return (workflow.now() - since).total_seconds()


def _patience(policy: AttemptPolicy, lost_since: datetime | None) -> timedelta:
    if lost_since is None:
        return timedelta(seconds=FIRST_PATIENCE)
    if policy.loss.policy == "wait":
        return timedelta(seconds=WAIT_PATIENCE)
    return timedelta(seconds=max(policy.loss.wait - _elapsed(lost_since), 0.1))


async def _send(task: NodeTask, policy: AttemptPolicy, patience: timedelta, stop: Stop) -> NodeOutcome | TimeoutType:
    """One delivery: the outcome, or which time-out lost it."""
    handle = workflow.start_activity(
        EXECUTE_ACTIVITY,
        task,
        result_type=NodeOutcome,
        task_queue=agent_queue(task.agent.id),
        schedule_to_start_timeout=patience,
        start_to_close_timeout=policy.start_to_close,
        heartbeat_timeout=timedelta(seconds=policy.heartbeat),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    if await stop.interrupts(handle):
        handle.cancel()
        if workflow.patched(PATCH_FORCED) and not await _told(handle, stop):
            return unreached(task, State.CANCELLED, "cancelled", stop.reason)
    try:
        return await handle
    except ActivityError as error:
        return _failure(task, error, stop)


async def _told(handle: asyncio.Future[NodeOutcome], stop: Stop) -> bool:
    """Wait for what the agent says of a step that is to end: as long as it takes, unless it is ended by force."""
    await workflow.wait_condition(lambda: handle.done() or stop.force)
    try:
        await workflow.wait_condition(handle.done, timeout=FORCED_PATIENCE)
    except builtins.TimeoutError:
        return False
    return True


def _failure(task: NodeTask, error: ActivityError, stop: Stop) -> NodeOutcome | TimeoutType:
    cause = error.cause
    if isinstance(cause, TimeoutError) and cause.type is TimeoutType.START_TO_CLOSE:
        return unreached(task, State.TIMED_OUT, "timed-out", "the agent did not end the step at its time-out")
    if isinstance(cause, TimeoutError):
        return cause.type or TimeoutType.HEARTBEAT
    if isinstance(cause, CancelledError):
        return unreached(task, State.CANCELLED, "cancelled", stop.reason or "cancelled")
    code = cause.type or "agent-error" if isinstance(cause, ApplicationError) else "agent-error"
    return unreached(task, State.FAILED, code, str(cause))


def unreached(task: NodeTask, state: State, code: str, message: str) -> NodeOutcome:
    """The outcome of an attempt whose agent gave none."""
    now = workflow.now()
    details = {"host": task.agent.name, "step": f"{task.key.job}/{task.key.step}", "node": task.node}
    error = ErrorInfo(code=code, message=message, details=details)
    return NodeOutcome(state=state, agent=task.agent, started=now, ended=now, error=error)
