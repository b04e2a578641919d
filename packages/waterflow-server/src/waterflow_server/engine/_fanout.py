"""The instances of one job as child workflows: at most ``max-parallel`` at once, fail-fast, cancel passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError

from waterflow_sdk.wire import ErrorInfo, JobState, State, job_workflow_id

from ._expansion import Instance
from ._gate import Gate
from ._stop import Stop
from ._wire import CANCEL_SIGNAL, JOB_WORKFLOW, CancelOrder, JobInput, JobResult

Child = workflow.ChildWorkflowHandle[Any, JobResult]


class FanOut:
    """Starts and follows the instances of a job. ``given`` makes the input of an instance's child workflow."""

    def __init__(
        self,
        run_id: str,
        given: Callable[[Instance], JobInput],
        update: Callable[[JobState], None],
        gate: Gate,
        stop: Stop,
    ) -> None:
        self._run_id = run_id
        self._gate = gate
        self._given = given
        self._update = update
        self._stop = stop
        self._children: dict[str, Child] = {}
        self._failed = ""

    async def run(self, instances: list[Instance], max_parallel: int, *, fail_fast: bool) -> None:
        """To the end of every instance."""
        slots = asyncio.Semaphore(max(max_parallel, 1))
        await asyncio.gather(*(self._one(instance, slots, fail_fast) for instance in instances))

    async def send(self, signal: str, argument: Any) -> None:
        """Pass a signal on to every child that still runs."""
        for child in list(self._children.values()):
            if not child.done():
                await _signal(child, signal, argument)

    async def _one(self, instance: Instance, slots: asyncio.Semaphore, fail_fast: bool) -> None:
        async with slots:
            await self._gate.passed()
            given = self._given(instance)
            if self._stop.cancelled or (self._failed and fail_fast):
                reason = self._stop.reason or f"fail-fast: {self._failed} failed"
                self._update(_state(given, State.CANCELLED, reason=reason))
                return
            state = await self._follow(given)
            self._update(state)
        if state.state in (State.FAILED, State.TIMED_OUT) and fail_fast and not self._failed:
            self._failed = instance.name
            await self.send(CANCEL_SIGNAL, CancelOrder(reason=f"fail-fast: {instance.name} failed"))

    async def _follow(self, given: JobInput) -> JobState:
        child = await workflow.start_child_workflow(
            JOB_WORKFLOW,
            given,
            id=job_workflow_id(self._run_id, given.instance),
            result_type=JobResult,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        )
        self._children[given.instance] = child
        self._update(_state(given, State.RUNNING))
        await self._pass_cancel_on(child)
        try:
            return (await child).state
        except ChildWorkflowError as error:
            cause = error.cause or error
            reason = f"the job's workflow was ended from outside: {cause}"
            return _state(given, State.FAILED, reason=reason, error=ErrorInfo(code="job-workflow", message=reason))

    async def _pass_cancel_on(self, child: Child) -> None:
        """A cancel that came while the child was being started."""
        if self._stop.cancelled:
            await _signal(child, CANCEL_SIGNAL, CancelOrder(reason=self._stop.reason, force=self._stop.force))


async def _signal(child: Child, signal: str, argument: Any) -> None:
    try:
        await child.signal(signal, argument)
    except ApplicationError:  # it ended before the signal came
        workflow.logger.debug("workflow %s had ended before the signal %s", child.id, signal)


def _state(given: JobInput, state: State, *, reason: str = "", error: ErrorInfo | None = None) -> JobState:
    return JobState(
        id=given.job.id,
        instance=given.instance,
        name=given.name or given.job.id,
        state=state,
        reason=reason,
        agent=given.agent,
        matrix=given.contexts.get("matrix"),
        item=given.contexts.get("item"),
        index=given.contexts.get("index"),
        ended=workflow.now() if state.ended else None,
        error=error,
    )


def pending_state(given: JobInput) -> JobState:
    """An instance that has not started."""
    return _state(given, State.PENDING)


def refused_state(given: JobInput, state: State, reason: str) -> JobState:
    """An instance that never starts because its host is not there."""
    error = ErrorInfo(code="no-agent", message=reason) if state is State.FAILED else None
    return _state(given, state, reason=reason, error=error)
