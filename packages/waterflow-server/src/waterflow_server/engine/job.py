"""``WaterflowJob``: one job instance on one host, from placement to its last ``finally`` step."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import StepPlan, TargetPlan
from waterflow_sdk.wire import AgentRef, ClaimRequest, ErrorInfo, JobState, State

from ._control import StopJob
from ._endings import run_endings
from ._job_context import JobContext, Scope
from ._placement import NoAgentSkip, Placement, nodes_used
from ._records import StepRecord
from ._steps import StepRunner
from ._stop import Stop
from ._values import StepFailure
from ._wire import CANCEL_SIGNAL, JOB_WORKFLOW, STATE_QUERY, CancelOrder, JobInput, JobResult


@workflow.defn(name=JOB_WORKFLOW)
class WaterflowJob:
    """Runs a job's steps one after the other; every step attempt is one activity on the agent's private queue."""

    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        self._stop = Stop()
        self._job = JobContext(given, self._stop)
        self._steps: list[StepRecord] = []
        self._state = State.QUEUED
        self._reason = ""
        self._started: datetime | None = None
        self._ended: datetime | None = None
        self._outputs: dict[str, Any] = {}
        self._error: ErrorInfo | None = None

    @workflow.run
    async def run(self, given: JobInput) -> JobResult:  # noqa: ARG002 - given to __init__, as workflow.init wants
        """To the end of the job, whatever it is: a failed job is a result."""
        body = asyncio.create_task(self._body())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:  # from outside: Temporal's own cancel, or the run was closed
                self._stop.request(State.CANCELLED, "cancelled through Temporal")
        body.result()
        return JobResult(state=msgspec.structs.replace(self.state(), steps=[]))

    @workflow.query(name=STATE_QUERY)
    def state(self) -> JobState:
        """The job's part of the state tree, at any time, also after the end."""
        given = self._given
        return JobState(
            id=given.job.id,
            instance=given.instance,
            name=given.name or given.job.id,
            state=self._state,
            reason=self._reason,
            agent=self._job.agent,
            matrix=given.contexts.get("matrix"),
            item=given.contexts.get("item"),
            index=given.contexts.get("index"),
            started=self._started,
            ended=self._ended,
            outputs=self._outputs,
            error=self._error,
            steps=[step.snapshot() for step in self._steps],
        )

    @workflow.signal(name=CANCEL_SIGNAL)
    def cancel(self, order: CancelOrder) -> None:
        """End what runs; ``always()`` and ``finally`` steps still run unless forced."""
        self._stop.request(State.CANCELLED, order.reason or "cancelled", force=order.force)

    async def _body(self) -> None:
        expiry = None
        try:
            await self._place()
            if self._stop.cancelled:
                return self._end(State.CANCELLED, self._stop.reason)
            self._state, self._reason, self._started = State.RUNNING, "", workflow.now()
            expiry = self._expire()
            await self._run_steps()
        except NoAgentSkip as skip:
            self._end(State.SKIPPED, str(skip))
        except StepFailure as failure:
            self._error = failure.error
            self._end(State.FAILED, failure.error.message)
        finally:
            if expiry is not None:
                expiry.cancel()

    async def _run_steps(self) -> None:
        plan, scope = self._given.job, Scope()
        runner = StepRunner(self._job, self._reassign if self._may_move() else None)
        try:
            await runner.run_list(plan.steps, scope, self._steps)
        except StopJob as stop:
            self._reason = str(stop)
        state = self._job.job_state(scope)
        self._error = self._first_error()
        if not self._stop.force:
            await run_endings(runner, plan, scope, self._steps)
        try:
            self._outputs = self._job.values(scope).resolve(plan.outputs, "outputs")
        except StepFailure as failure:
            state = State.FAILED
            self._error = self._error or failure.error
        self._end(state, self._error.message if self._error else self._stop.reason or self._reason)

    def _end(self, state: State, reason: str) -> None:
        self._state, self._reason, self._ended = state, reason, workflow.now()

    def _first_error(self) -> ErrorInfo | None:
        for step in self._steps:
            if step.conclusion in (State.FAILED, State.TIMED_OUT) and not self._stop.cancelled:
                where = f"step {step.name!r}" + (f" on {self._job.agent.name}" if self._job.agent else "")
                inner = _innermost_error(step)
                message = f"{where}: {inner.message if inner else step.state.value}"
                return ErrorInfo(
                    code=inner.code if inner else "step-failed",
                    message=message,
                    details={**(inner.details if inner else {}), "step": step.path},
                )
        return None

    def _expire(self) -> asyncio.Task[None] | None:
        seconds = self._job.values(Scope()).seconds(self._given.job.timeout, "timeout")
        if seconds is None:
            return None

        async def expire() -> None:
            await asyncio.sleep(seconds)
            self._stop.request(State.TIMED_OUT, f"the job took longer than {seconds:g} s")

        return asyncio.create_task(expire())

    def _may_move(self) -> bool:
        return self._given.agent is None and self._given.job.target.agent is None

    async def _place(self) -> None:
        plan = self._given.job
        nodes = nodes_used((*plan.steps, *plan.on_failure, *plan.finally_))
        if self._job.agent is None and (nodes or _has_dynamic(plan.steps)):
            self._job.agent = await self._placement(nodes).place()

    async def _reassign(self) -> AgentRef | None:
        plan = self._given.job
        self._job.agent = await self._placement(nodes_used(plan.steps)).place() or self._job.agent
        return None if self._stop.cancelled else self._job.agent

    def _placement(self, nodes: list[str]) -> Placement:
        plan: TargetPlan = self._given.job.target
        offline = self._given.job.offline
        wait = self._job.values(Scope()).seconds(offline.wait, "offline.wait") or 0.0
        request = ClaimRequest(run=self._given.run.id, job=self._given.instance, nodes=nodes)
        return Placement(request, plan, offline, wait, self._stop, self._report)

    def _report(self, reason: str) -> None:
        self._reason = reason


def _innermost_error(step: StepRecord) -> ErrorInfo | None:
    if step.error is not None:
        return step.error
    return next((error for child in step.children if (error := _innermost_error(child))), None)


def _has_dynamic(nodes: tuple[Any, ...]) -> bool:
    return any(not isinstance(node, StepPlan) or node.uses.kind != "control" for node in nodes)
