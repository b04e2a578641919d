"""Concurrency groups as runs and jobs see them: which group, waiting for one's turn, giving it back."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from waterflow_dsl.plan import ConcurrencyPlan

from ...concurrency import (
    ENQUEUE_ACTIVITY,
    RELEASE_SIGNAL,
    LockMember,
    LockRequest,
    OnConflict,
    Verdict,
    lock_workflow_id,
)
from .._values import StepFailure, Values
from ._stop import Stop

MAX_GROUP = 500
"""Characters of a group's name."""

ASK_AGAIN = 5.0
"""Seconds without a verdict until a member gets in line again; doubled each time, up to :data:`ASK_AT_LEAST`."""

ASK_AT_LEAST = 3600.0
"""Seconds: each time takes eleven events of the history, which is not cut while a job waits for its turn."""

_TIMEOUT = timedelta(seconds=10)
_PATIENCE = timedelta(minutes=1)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=5))


def lock_request(plan: ConcurrencyPlan, values: Values, member: str, within: list[str]) -> LockRequest:
    """The group that ``concurrency`` means with these values. Raises StepFailure."""
    group = values.text(plan.group, "concurrency.group").strip()
    if not 0 < len(group) <= MAX_GROUP:
        raise StepFailure(
            "invalid-value", f"concurrency.group: must have 1 to {MAX_GROUP} characters, not {len(group)}"
        )
    word = values.text(plan.on_conflict, "concurrency.on-conflict")
    try:
        policy = OnConflict(word)
    except ValueError:
        raise StepFailure(
            "invalid-value", f"concurrency.on-conflict: must be queue, cancel or reject, not {word!r}"
        ) from None
    return LockRequest(group=group, member=LockMember(id=member, on_conflict=policy, within=within))


def wholes() -> list[str]:
    """Ids of the workflows that this one is a part of: its parent, and the first of all."""
    info = workflow.info()
    return [each.workflow_id for each in (info.parent, info.root) if each and each.workflow_id != info.workflow_id]


class Turn:
    """The turn of a run or job in its concurrency group. ``group`` is empty while it has none."""

    def __init__(self, stop: Stop) -> None:
        self.group = ""
        self.reason = ""
        """Why it waits, in words; who holds the group only its coordinator knows, and whoever shows this asks there."""
        self._granted = False
        self._stop = stop

    def hear(self, verdict: Verdict) -> bool:
        """Take a verdict; false when it is that the member has to end."""
        self._granted = self._granted or verdict.granted
        return verdict.granted

    async def take(self, request: LockRequest, *, enqueued: bool) -> bool:
        """Wait for the turn; false when a stop came first. ``enqueued``: somebody else has got it in line, or died."""
        self.group, self.reason = request.group, f"waits for concurrency group {request.group}"
        patience = ASK_AGAIN
        if not enqueued:
            await _enqueue(request)
        while not (self._granted or self._stop.cancelled):
            try:
                await workflow.wait_condition(lambda: self._granted or self._stop.cancelled, timeout=patience)
            except TimeoutError:
                await _enqueue(request)
                patience = min(patience * 2, ASK_AT_LEAST)
        self.reason = ""
        return not self._stop.cancelled

    async def release(self) -> None:
        """Give the turn back, or leave the line. Where nobody hears it any more, there is nothing to give back."""
        if not self.group:
            return
        coordinator = workflow.get_external_workflow_handle(lock_workflow_id(self.group))
        try:
            await coordinator.signal(RELEASE_SIGNAL, workflow.info().workflow_id)
        except ApplicationError:
            workflow.logger.debug("nobody keeps concurrency group %s any more", self.group)


async def _enqueue(request: LockRequest) -> None:
    try:
        await workflow.execute_activity(
            ENQUEUE_ACTIVITY,
            request,
            start_to_close_timeout=_TIMEOUT,
            schedule_to_close_timeout=_PATIENCE,
            retry_policy=_RETRY,
        )
    except ActivityError as error:  # asked again later
        workflow.logger.warning("could not get in line for concurrency group %s: %s", request.group, error.cause)
