"""``WaterflowJob``: one job instance on one host, from placement to its last ``finally`` step."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from waterflow_dsl.plan import StepPlan, TargetPlan
from waterflow_sdk.wire import AgentRef, ClaimRequest, ErrorInfo, Interval, JobState, State

from ..concurrency import VERDICT_SIGNAL, Verdict
from ._concurrency import Turn, lock_request, wholes
from ._endings import run_endings
from ._job_context import JobContext, Scope
from ._job_steps import job_error, run_main_steps, waiting
from ._placement import NoAgentSkip, Placement, nodes_used
from ._records import StepRecord
from ._resume import resume_point
from ._steps import StepRunner
from ._stop import Stop
from ._values import StepFailure
from ._wire import (
    ANSWER_UPDATE,
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    JOB_WORKFLOW,
    PAUSE_SIGNAL,
    RESUME_QUERY,
    STATE_QUERY,
    Answer,
    CancelOrder,
    Event,
    JobInput,
    JobResult,
    PauseOrder,
    ResumePoint,
)

_MAX_WAITS = 20


@workflow.defn(name=JOB_WORKFLOW)
class WaterflowJob:
    """Runs a job's steps one after the other; every step attempt is one activity on the agent's private queue."""

    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        self._stop = Stop()
        self._turn = Turn(self._stop)
        self._job = JobContext(given, self._stop)
        self._steps: list[StepRecord] = []
        self._scope = Scope()
        self._state = State.QUEUED
        self._reason = ""
        self._queued = workflow.now()
        self._waits: list[Interval] = []
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
        shown, reason = self._shown()
        return JobState(
            id=given.job.id,
            instance=given.instance,
            name=given.name or given.job.id,
            state=shown,
            reason=reason,
            agent=self._job.agent,
            matrix=given.contexts.get("matrix"),
            item=given.contexts.get("item"),
            index=given.contexts.get("index"),
            started=self._started,
            ended=self._ended,
            outputs=self._outputs,
            error=self._error,
            steps=[step.snapshot() for step in self._steps],
            concurrency=self._turn.group,
            queued=self._queued,
            waits=self._waits,
            pauses=list(self._job.gate.pauses),
        )

    @workflow.query(name=RESUME_QUERY)
    def resume(self) -> ResumePoint:
        """Where a retry could go on."""
        return resume_point(self._job, self._scope, self._steps)

    @workflow.signal(name=CANCEL_SIGNAL)
    def cancel(self, order: CancelOrder) -> None:
        """End what runs; ``always()`` and ``finally`` steps still run unless forced."""
        self._stop.request(State.CANCELLED, order.reason or "cancelled", force=order.force)

    @workflow.signal(name=VERDICT_SIGNAL)
    def verdict(self, verdict: Verdict) -> None:
        """The concurrency group is this job's now, or the job has to end for another one."""
        if not self._turn.hear(verdict):
            self._stop.request(State.CANCELLED, verdict.reason)

    @workflow.signal(name=PAUSE_SIGNAL)
    def pause(self, order: PauseOrder) -> None:
        """Start nothing new until the run goes on."""
        self._job.gate.reason = (order.reason or "paused") if order.paused else None

    @workflow.signal(name=EVENT_SIGNAL)
    def event(self, event: Event) -> None:
        """Something happened outside."""
        self._job.inbox.deliver(event)

    @workflow.update(name=ANSWER_UPDATE)
    def answer(self, answer: Answer) -> None:
        """Somebody answers an approval."""
        self._job.inbox.answer(answer)

    @answer.validator
    def _may_answer(self, answer: Answer) -> None:
        refusal = self._job.inbox.refusal(answer)
        if refusal:
            raise ApplicationError(refusal, type="AnswerRefused")

    def _shown(self) -> tuple[State, str]:
        """State and reason as seen from outside: a pause and a wait show through."""
        if self._state.ended:
            return self._state, self._reason
        if self._job.gate.closed:
            return State.PAUSED, self._job.gate.reason or ""
        step = waiting(self._steps)
        return (State.WAITING, step.reason) if step else (self._state, self._reason or self._turn.reason)

    async def _body(self) -> None:
        expiry = None
        try:
            await self._take_turn()
            await self._place()
            if self._stop.cancelled:
                return self._end(State.CANCELLED, self._stop.reason)
            self._report("")
            self._state, self._started = State.RUNNING, workflow.now()
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
            await self._turn.release()

    async def _take_turn(self) -> None:
        plan = self._given.job.concurrency
        if plan is not None:
            lock = lock_request(plan, self._job.values(Scope()), workflow.info().workflow_id, wholes())
            await self._turn.take(lock, enqueued=False)

    async def _run_steps(self) -> None:
        plan = self._given.job
        runner = StepRunner(self._job, self._reassign if self._may_move() else None)
        scope = await run_main_steps(runner, plan, self._steps, self._begun)
        state = self._job.job_state(scope)
        self._error = job_error(self._steps, self._job)
        if not self._stop.force:
            await run_endings(runner, plan, scope, self._steps)
        try:
            self._outputs = self._job.values(scope).resolve(plan.outputs, "outputs")
        except StepFailure as failure:
            state = State.FAILED
            self._error = self._error or failure.error
        self._end(state, self._error.message if self._error else self._stop.reason)

    def _begun(self, scope: Scope) -> None:
        self._scope = scope

    def _end(self, state: State, reason: str) -> None:
        self._note_wait("")
        self._state, self._reason, self._ended = state, reason, workflow.now()

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
        self._report("")
        return None if self._stop.cancelled else self._job.agent

    def _placement(self, nodes: list[str]) -> Placement:
        plan: TargetPlan = self._given.job.target
        offline = self._given.job.offline
        wait = self._job.values(Scope()).seconds(offline.wait, "offline.wait") or 0.0
        request = ClaimRequest(run=self._given.run.id, job=self._given.instance, nodes=nodes)
        return Placement(request, plan, offline, wait, self._stop, self._report)

    def _report(self, reason: str) -> None:
        if reason == self._reason:
            return
        self._note_wait(reason)
        self._reason = reason

    def _note_wait(self, reason: str) -> None:
        """Since when it has waited for an agent, and for that reason; an empty one ends the wait."""
        if self._reason and self._waits:
            self._waits[-1] = msgspec.structs.replace(self._waits[-1], until=workflow.now())
        if reason:
            self._waits = [*self._waits, Interval(since=workflow.now(), reason=reason)][-_MAX_WAITS:]


def _has_dynamic(nodes: tuple[Any, ...]) -> bool:
    return any(not isinstance(node, StepPlan) or node.uses.kind != "control" for node in nodes)
