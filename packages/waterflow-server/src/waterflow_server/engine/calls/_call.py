"""A reusable workflow that a job runs in place of steps: started, told what its caller is told, awaited."""

from __future__ import annotations

from collections import deque
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError

from waterflow_sdk.wire import ErrorInfo, RunState, State, call_workflow_id

from .._wire import CANCEL_SIGNAL, RUN_WORKFLOW, CancelOrder, RunInput
from ..signals._stop import Stop

Child = workflow.ChildWorkflowHandle[Any, Any]


class Messages:
    """Signals for a run that is awaited, in the order in which they came. Those that come before its start wait, and
    requests to stop count from here on.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._heard = stop.requests
        self._outbox: deque[tuple[str, Any]] = deque()

    def add(self, signal: str, argument: Any) -> None:
        """Something that it is to hear."""
        self._outbox.append((signal, argument))

    async def follow(self, child: Child) -> None:
        """Until it has ended, tell it all this, and each request to stop."""
        while not child.done():
            await workflow.wait_condition(
                lambda: child.done() or bool(self._outbox) or self._stop.requests != self._heard
            )
            if self._stop.requests != self._heard:
                self._heard = self._stop.requests
                self.add(CANCEL_SIGNAL, CancelOrder(reason=self._stop.reason, force=self._stop.force))
            while self._outbox and not child.done():
                await _tell(child, *self._outbox.popleft())


async def _tell(child: Child, signal: str, argument: Any) -> None:
    try:
        await child.signal(signal, argument)
    except ApplicationError:  # it ended before the signal came
        workflow.logger.debug("workflow %s had ended before the signal %s", child.id, signal)


class Call:
    """The reusable workflow of a job instance, if it has one. ``waiting`` is what somebody in it is waited for."""

    def __init__(self, given: RunInput | None, instance: str, stop: Stop) -> None:
        self.waiting = ""
        self._given = given
        self._instance = instance
        self._messages = Messages(stop)

    def hear(self, signal: str, argument: Any) -> None:
        """The job was told something that the called workflow is to hear too."""
        if self._given is not None:
            self._messages.add(signal, argument)

    async def run(self) -> RunState:
        """To its end, whatever that is."""
        given = self._given
        assert given is not None
        child = await workflow.start_child_workflow(
            RUN_WORKFLOW,
            given,
            id=call_workflow_id(given.id, self._instance),
            result_type=RunState,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        )
        await self._messages.follow(child)
        return await ended(child, given.id)


async def ended(child: Child, id: str) -> RunState:
    """The state of a run that has ended, also of one that was ended through Temporal itself."""
    try:
        return await child
    except ChildWorkflowError as error:
        reason = f"the called run was ended from outside: {error.cause or error}"
        return RunState(id=id, name="", state=State.FAILED, error=ErrorInfo(code="run-workflow", message=reason))
