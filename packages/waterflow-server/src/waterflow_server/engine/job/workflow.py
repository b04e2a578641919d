"""``WaterflowJob``: one job instance on one host, from placement to its last ``finally`` step."""

from __future__ import annotations

import asyncio

import msgspec
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from waterflow_sdk.wire import JobState, State

from ...concurrency import VERDICT_SIGNAL, Verdict
from .._job_state import job_state
from .._wire import (
    ANSWER_UPDATE,
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    JOB_WORKFLOW,
    NOTE_SIGNAL,
    PAUSE_SIGNAL,
    RESUME_QUERY,
    STATE_QUERY,
    Answer,
    CancelOrder,
    Event,
    JobInput,
    JobNote,
    JobResult,
    PauseOrder,
    ResumePoint,
)
from ..steps._resume import resume_point
from ._body import JobBody


@workflow.defn(name=JOB_WORKFLOW)
class WaterflowJob:
    """Runs a job's steps one after the other; every step attempt is one activity on the agent's private queue.

    When its history grows long it continues as new, with all that it knows in the input's ``memory``.
    """

    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        self._body = JobBody(given)

    @workflow.run
    async def run(self, given: JobInput) -> JobResult:  # noqa: ARG002 - given to __init__, as workflow.init wants
        """To the end of the job, whatever it is: a failed job is a result."""
        body, roll = asyncio.create_task(self._body.run()), self._body.job.roll
        while not body.done():
            try:
                await workflow.wait_condition(lambda: body.done() or roll.ready)
                if not body.done():
                    await self._body.roll_over()
            except asyncio.CancelledError:  # from outside: Temporal's own cancel, or the run was closed
                self._body.stop.request(State.CANCELLED, "cancelled through Temporal")
        body.result()
        return JobResult(state=msgspec.structs.replace(self.state(), steps=[]))

    @workflow.query(name=STATE_QUERY)
    def state(self) -> JobState:
        """The job's part of the state tree, at any time, also after the end."""
        body = self._body
        shown, reason = body.shown()
        return job_state(
            self._given,
            shown,
            reason=reason,
            agent=body.job.agent or self._given.host,
            started=body.course.started,
            ended=body.ended,
            outputs=body.outputs,
            error=body.error,
            steps=[step.snapshot() for step in body.course.records()],
            concurrency=body.turn.group,
            queued=body.course.queued,
            waits=body.waits,
            pauses=list(body.job.gate.pauses),
            approval=body.environment.approval,
            environment=body.environment.state,
        )

    @workflow.query(name=RESUME_QUERY)
    def resume(self) -> ResumePoint:
        """Where a retry could go on."""
        return resume_point(self._body.job, self._body.scope, self._body.course.lists[0])

    @workflow.signal(name=CANCEL_SIGNAL)
    def cancel(self, order: CancelOrder) -> None:
        """End what runs; ``always()`` and ``finally`` steps still run unless forced."""
        self._body.stop.request(State.CANCELLED, order.reason or "cancelled", force=order.force)

    @workflow.signal(name=VERDICT_SIGNAL)
    def verdict(self, verdict: Verdict) -> None:
        """The concurrency group is this job's now, or the job has to end for another one."""
        if not self._body.turn.hear(verdict):
            self._body.stop.request(State.CANCELLED, verdict.reason)

    @workflow.signal(name=PAUSE_SIGNAL)
    def pause(self, order: PauseOrder) -> None:
        """Start nothing new until the run goes on."""
        self._body.job.gate.reason = (order.reason or "paused") if order.paused else None
        self._body.call.hear(PAUSE_SIGNAL, order)

    @workflow.signal(name=EVENT_SIGNAL)
    def event(self, event: Event) -> None:
        """Something happened outside."""
        self._body.job.inbox.deliver(event)
        self._body.call.hear(EVENT_SIGNAL, event)

    @workflow.signal(name=NOTE_SIGNAL)
    async def note(self, note: JobNote) -> None:
        """The called workflow waits for somebody or something outside, or goes on."""
        self._body.call.waiting = note.reason if note.state is State.WAITING else ""
        await self._body.job.tell(note.state, note.reason)

    @workflow.update(name=ANSWER_UPDATE)
    def answer(self, answer: Answer) -> None:
        """Somebody answers an approval."""
        self._body.job.inbox.answer(answer)

    @answer.validator
    def _may_answer(self, answer: Answer) -> None:
        refusal = self._body.job.inbox.refusal(answer)
        if refusal:
            raise ApplicationError(refusal, type="AnswerRefused")
