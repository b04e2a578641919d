"""The ``ExecuteNode`` activity: delivers an attempt, waits for it, and tells Temporal that it lives."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import msgspec
from temporalio import activity
from temporalio.client import AsyncActivityHandle, Client
from temporalio.exceptions import ApplicationError

from waterflow_sdk.codec import CodecError
from waterflow_sdk.wire import (
    EXECUTE_ACTIVITY,
    AgentRef,
    ErrorInfo,
    NodeOutcome,
    NodeTask,
    State,
    StreamName,
    WireVersionError,
    check_wire_version,
)

from . import _clock
from ._attempts import Attempt, AttemptBook, Delivery
from ._claims import SlotBook
from ._orphans import Orphans
from ._standing import Standing, standing
from ._stop import StopReason, stopped_error

logger = logging.getLogger("waterflow.agent")

BEAT = 0.5
"""Seconds between heartbeats, and so the longest time until a cancel is noticed."""

_FRESH = 0.5


class Freshness:
    """Whether a task was handed over without delay, judged by the least delay seen of late.

    The difference of the server's clock and ours is in every delay alike, so only what is above the least one counts.
    When our clock is set, what was known of the difference is forgotten.
    """

    def __init__(self, window: int = 100) -> None:
        self._delays: deque[float] = deque(maxlen=window)
        self._jumps = _clock.Jumps()

    def fresh(self, delay: float) -> bool:
        """Notes a delay; the first one is never called fresh, because nothing is known of the clocks yet."""
        if abs(self._jumps.seconds) > _FRESH / 2:
            self._jumps = _clock.Jumps()
            self._delays.clear()
        usual = min(self._delays, default=None)
        self._delays.append(delay)
        return usual is not None and delay - usual < _FRESH


class Executor:
    """The activity, with what it needs."""

    def __init__(
        self, client: Client, agent: AgentRef, attempts: AttemptBook, slots: SlotBook, orphans: Orphans
    ) -> None:
        self.client = client
        self._agent = agent
        self._attempts = attempts
        self._slots = slots
        self._orphans = orphans
        self._freshness = Freshness()

    @activity.defn(name=EXECUTE_ACTIVITY)
    async def execute(self, task: NodeTask) -> NodeOutcome:
        """Runs one attempt of one step; the same key again adopts it or returns its outcome."""
        refusal = self._refuse(task)
        if refusal:
            return refusal
        if not await self._still_wanted():
            return self._not_started(State.CANCELLED, stopped_error(StopReason.CANCELLED))
        try:
            found = self._obtain(task)
        except (OSError, CodecError) as error:
            return self._not_started(State.FAILED, _no_journal(error))
        if isinstance(found, NodeOutcome):
            return found
        return await self._deliver(found)

    def _refuse(self, task: NodeTask) -> NodeOutcome | None:
        try:
            check_wire_version(task.wire)
            StreamName.parse(str(task.key))
        except (WireVersionError, ValueError) as error:
            code = getattr(error, "code", "invalid-task")
            return self._not_started(State.FAILED, ErrorInfo(code=code, message=str(error)))
        if task.agent.id != self._agent.id:
            message = f"the task is for agent {task.agent.name!r}, but reached {self._agent.name!r}"
            return self._not_started(State.FAILED, ErrorInfo(code="wrong-agent", message=message))
        return None

    async def _still_wanted(self) -> bool:
        """Guards against ghosts: after a cut of the network, open polls hand over tasks that timed out long ago.

        An acknowledged heartbeat proves that the task is still ours; a fresh task needs no proof. False = cancelled.
        """
        started = activity.info().started_time
        delay = (_clock.now() - started).total_seconds()
        if self._freshness.fresh(delay):
            return True
        return await self._confirm()

    async def _confirm(self) -> bool:
        token = activity.info().task_token
        while True:
            answer = await standing(self._handle(token))
            if answer is Standing.GONE:
                message = "the task had timed out before it reached the agent: nothing was started"
                raise ApplicationError(message, type="GhostStart")
            if answer is not Standing.SILENT:
                return answer is Standing.OURS
            await asyncio.sleep(BEAT)  # Temporal is away: nothing starts until it has answered

    def _handle(self, token: bytes) -> AsyncActivityHandle:
        return self.client.get_async_activity_handle(task_token=token)  # the client may be another one at each call

    def _obtain(self, task: NodeTask) -> Attempt | NodeOutcome:
        living = self._attempts.find(task.key)
        if living:
            return living
        return self._attempts.ended(task.key) or self._attempts.start(task, _delivery())

    async def _deliver(self, attempt: Attempt) -> NodeOutcome:
        """Waits for the outcome with heartbeats. When the activity is lost, the attempt stays, to be adopted."""
        job = (attempt.key.run, attempt.key.job)
        attempt.deliveries += 1
        delivery = attempt.deliveries
        attempt.contact(_clock.elapsed())
        attempt.delivered(_delivery())
        self._orphans.adopted(attempt)
        self._slots.begin(job)
        confirming = self._confirm_while_fenced(attempt)
        try:
            outcome = await self._wait(attempt)
        finally:
            if confirming:
                confirming.cancel()
            self._slots.end(job)
            if not attempt.ended.done() and attempt.deliveries == delivery:
                self._orphans.watch(attempt)
        return _adopted(outcome) if delivery > 1 else outcome

    async def _wait(self, attempt: Attempt) -> NodeOutcome:
        while not attempt.ended.done():
            try:
                await asyncio.wait([attempt.ended], timeout=BEAT)
            except asyncio.CancelledError:
                if not _cancel_was_asked():
                    raise  # lost: the process stays for adoption, the fence and the orphans' watch end it if need be
                attempt.stop(StopReason.CANCELLED)
            if not attempt.ended.done():
                activity.heartbeat()
        return attempt.ended.result()

    def _confirm_while_fenced(self, attempt: Attempt) -> asyncio.Task[None] | None:
        """The worker's own heartbeats do not say whether they arrived, so a fenced attempt sends some that do."""
        if attempt.task.fence_after is None:
            return None
        token = activity.info().task_token
        return asyncio.create_task(self._send_confirmed(attempt, token, attempt.task.fence_after))

    async def _send_confirmed(self, attempt: Attempt, token: bytes, fence_after: float) -> None:
        every = max(BEAT, fence_after / 8)
        while not attempt.ended.done():
            await asyncio.wait([attempt.ended], timeout=every)
            sent = _clock.elapsed()
            answer = await standing(self._handle(token))
            if answer is Standing.GONE:
                return
            if answer is not Standing.SILENT:  # the activity itself is told to cancel
                attempt.contact(sent)

    def _not_started(self, state: State, error: ErrorInfo) -> NodeOutcome:
        moment = _clock.now()
        return NodeOutcome(state=state, agent=self._agent, started=moment, ended=moment, error=error)


def _delivery() -> Delivery:
    info = activity.info()
    return Delivery(info.task_token, info.workflow_id or "", info.workflow_run_id or "")


def _cancel_was_asked() -> bool:
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested and not (details.not_found or details.timed_out)


def _adopted(outcome: NodeOutcome) -> NodeOutcome:
    return msgspec.structs.replace(outcome, adopted=True)


def _no_journal(error: OSError | CodecError) -> ErrorInfo:
    if isinstance(error, CodecError):
        message = f"the journalled outcome of this attempt cannot be read: {error}"
        return ErrorInfo(code=error.code, message=message)
    return ErrorInfo(
        code="agent-state",
        message=f"the agent cannot write to its state directory, so nothing was started: {error.strerror}",
        retryable=True,
    )
