"""``WaterflowRun``: one run, from the plan to its result. Jobs start the moment their needs have ended."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import Plan, PlanVersionError, decode_plan
from waterflow_sdk.wire import ErrorInfo, JobState, RunInfo, RunState, State

from ... import _search_attributes as attributes
from ...concurrency import VERDICT_SIGNAL, Verdict
from .._values import StepFailure
from .._wire import (
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    NOTE_SIGNAL,
    PAUSE_SIGNAL,
    PAUSE_UPDATE,
    RUN_WORKFLOW,
    STATE_QUERY,
    CancelOrder,
    Event,
    JobNote,
    PauseOrder,
    RunInput,
)
from ..calls._called import instance_prefix
from ..fanout._job_record import JobRecord
from ..signals._stop import Stop
from ._admission import Admission
from ._contexts import run_contexts
from ._graph import Graph
from ._inquiry import refuse
from ._jobs import JobRunner

_PATCH_SHOWN = "2026-11-lists-show-waits"


@workflow.defn(name=RUN_WORKFLOW)
class WaterflowRun:
    """Runs a plan. The result is an index: the run's state with its job instances, without their steps."""

    @workflow.init
    def __init__(self, given: RunInput) -> None:
        self._given = given
        self._stop = Stop()
        self._admission = Admission(given, self._stop)
        self._plan: Plan | None = None
        self._graph = Graph(())
        self._jobs: JobRunner | None = None
        self._state = State.QUEUED
        self._published = State.RUNNING
        self._title = ""
        self._started: datetime | None = None
        self._ended: datetime | None = None
        self._error: ErrorInfo | None = None
        self._outputs: dict[str, Any] = {}

    @workflow.run
    async def run(self, given: RunInput) -> RunState:  # noqa: ARG002 - given to __init__, as workflow.init wants
        """To the end of the run, whatever it is: a failed run is a result."""
        body = asyncio.create_task(self._body())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                await self._cancel(CancelOrder(reason="cancelled through Temporal"))
        body.result()
        self._publish_state()
        return self.state()

    @workflow.query(name=STATE_QUERY)
    def state(self) -> RunState:
        """The run's part of the state tree, at any time."""
        given = self._given
        state, reason = self._shown()
        return RunState(
            id=given.id,
            name=self._plan.name if self._plan else "",
            title=self._title,
            state=state,
            reason=reason,
            started_by=given.started_by,
            labels=given.labels,
            submitted=given.submitted,
            started=self._started,
            ended=self._ended,
            error=self._error,
            outputs=self._outputs,
            link=given.link,
            plan_hash=self._plan.hash if self._plan else "",
            concurrency=self._admission.turn.group,
            pauses=list(self._jobs.gate.pauses) if self._jobs is not None else [],
            jobs=[self._placed(job) for job in self._graph.states()],
            rollouts=self._graph.rollouts(),
            shards=self._graph.shards(),
            parent=given.parent,
        )

    def _placed(self, job: JobState) -> JobState:
        """A job that has no instance yet, with the name that it has in the whole run."""
        prefix = instance_prefix(self._given)
        if job.instance.startswith(prefix):
            return job
        return msgspec.structs.replace(job, instance=prefix + job.instance)

    def _shown(self) -> tuple[State, str]:
        if self._jobs is not None and self._jobs.gate.closed and not self._state.ended:
            return State.PAUSED, self._jobs.gate.reason or ""
        waiting = None if self._state.ended else self._graph.waiting()
        if waiting is not None:
            return State.WAITING, waiting.reason if self._calls(waiting) else f"{waiting.instance}: {waiting.reason}"
        return self._state, self._stop.reason or (self._error.message if self._error else "") or self._admission.reason

    def _calls(self, job: JobState) -> bool:
        """Whether the instance runs a called workflow, whose reasons name its own jobs."""
        return self._graph.jobs[job.id].plan.call is not None

    @workflow.signal(name=CANCEL_SIGNAL)
    async def cancel(self, order: CancelOrder) -> None:
        """End what runs; jobs that say ``always()`` and ``finally`` steps still run unless forced."""
        await self._cancel(order)

    @workflow.signal(name=VERDICT_SIGNAL)
    async def verdict(self, verdict: Verdict) -> None:
        """The concurrency group is this run's now, or the run has to end for another one."""
        if not self._admission.turn.hear(verdict):
            await self._cancel(CancelOrder(reason=verdict.reason))

    @workflow.update(name=PAUSE_UPDATE)
    async def pause(self, order: PauseOrder) -> None:
        """Pause or go on: running steps finish, no new one starts."""
        await self._pause(order)

    @workflow.signal(name=PAUSE_SIGNAL)
    async def gate(self, order: PauseOrder) -> None:
        """The same for a called workflow, from the job that calls it."""
        await self._pause(order)

    async def _pause(self, order: PauseOrder) -> None:
        await workflow.wait_condition(lambda: self._jobs is not None or self._state.ended)
        if self._jobs is not None:
            await self._jobs.pause(order)
            self._publish_shown()

    @workflow.signal(name=EVENT_SIGNAL)
    async def event(self, event: Event) -> None:
        """Something happened outside; the first ``wait`` for it takes it."""
        await workflow.wait_condition(lambda: self._jobs is not None or self._state.ended)
        if self._jobs is not None:
            await self._jobs.deliver(event)

    @workflow.signal(name=NOTE_SIGNAL)
    async def note(self, note: JobNote) -> None:
        """A job waits for somebody or something outside, or goes on."""
        self._graph.jobs[note.job].note(note.instance, note.state, note.reason)
        self._publish_shown()
        await self._tell_caller()

    async def _tell_caller(self) -> None:
        """A called workflow lets the job that calls it know whether anything in it waits."""
        caller, call = workflow.info().parent, self._given.call
        if caller is None or call is None:
            return
        state, reason = self._shown() if self._graph.waiting() is not None else (State.RUNNING, "")
        note = JobNote(job="", instance=call.instance, state=state, reason=reason)
        await workflow.get_external_workflow_handle(caller.workflow_id).signal(NOTE_SIGNAL, note)

    async def _cancel(self, order: CancelOrder) -> None:
        reason = order.reason or "cancelled"
        self._stop.request(State.CANCELLED, reason, force=order.force)
        if self._jobs is not None:
            await self._jobs.cancel(CancelOrder(reason=reason, force=order.force))

    async def _body(self) -> None:
        self._started = workflow.now()
        try:
            self._plan = plan = decode_plan(bytes(self._given.plan))
            self._state = State.RUNNING
            await self._run_plan(plan)
        except (PlanVersionError, msgspec.ValidationError) as error:
            self._fail("plan-version", f"this server cannot read the plan: {error}")
        except StepFailure as failure:
            self._fail(failure.error.code, failure.error.message)
        self._ended = workflow.now()
        await self._admission.turn.release()

    def _publish_shown(self) -> None:
        """Lists follow pauses and waits too; where many jobs wait one after the other, only their first and last."""
        shown = self._shown()[0]
        if self._state.ended or shown is self._published or not workflow.patched(_PATCH_SHOWN):
            return
        self._publish_state(shown)

    def _publish_state(self, shown: State | None = None) -> None:
        if self._given.call is not None:
            return  # a part of a run is in no list
        self._published = shown or self._state
        state = [attributes.STATE.value_set(self._published.value)]
        workflow.upsert_search_attributes(state)  # pyright: ignore[reportUnknownMemberType] - of temporalio

    def _fail(self, code: str, message: str) -> None:
        self._state, self._error = State.FAILED, ErrorInfo(code=code, message=message)

    async def _run_plan(self, plan: Plan) -> None:
        info = RunInfo(id=self._given.id, name=plan.name, started_by=self._given.started_by, labels=self._given.labels)
        self._graph = Graph(plan.jobs)
        contexts = run_contexts(self._given, plan)
        self._title = (
            JobRunner(self._given, info, self._graph, contexts, self._stop).values(None).text(plan.title, "run-name")
            or plan.name
        )
        info = msgspec.structs.replace(info, title=self._title)
        contexts["run"] = {**contexts["run"], "title": self._title}
        self._jobs = jobs = JobRunner(self._given, info, self._graph, contexts, self._stop)
        jobs.set_env(jobs.values(None).texts(plan.env, "env"))
        await self._as_caller(jobs)
        if not await self._admission.admit(plan, self._hold, self._begin):
            return self._never_began()
        finding = await self._admission.inquire()
        if finding.lacks:
            self._state, self._error = State.FAILED, refuse(self._graph, finding, workflow.now())
            return None
        jobs.leave_out(finding.lacking)
        expiry = self._expire(plan, jobs)
        await asyncio.gather(*(self._job(record) for record in self._graph.jobs.values()))
        if expiry is not None:
            expiry.cancel()
        return self._conclude(plan)

    async def _as_caller(self, jobs: JobRunner) -> None:
        """A called workflow begins as its caller stands: paused or not, with the events that nobody has taken."""
        call = self._given.call
        if call is None:
            return
        if call.paused is not None and not jobs.gate.closed:
            await jobs.pause(PauseOrder(paused=True, reason=call.paused))
        for event in call.events:
            await jobs.deliver(event)

    def _hold(self) -> None:
        self._state, self._started = State.QUEUED, None

    def _begin(self) -> None:
        self._state, self._started = State.RUNNING, workflow.now()
        self._publish_state()

    def _never_began(self) -> None:
        self._state = self._stop.state or State.CANCELLED
        for record in self._graph.jobs.values():
            record.skip(State.CANCELLED, self._stop.reason, workflow.now())

    async def _job(self, record: JobRecord) -> None:
        if record.plan.needs:
            await workflow.wait_condition(lambda: self._graph.needs_ended(record.plan))
        assert self._jobs is not None
        await self._jobs.run(record)

    def _conclude(self, plan: Plan) -> None:
        self._state = self._graph.run_state()
        if self._stop.state is not None and self._state is not State.SUCCESS:
            self._state = self._stop.state
        if self._state is State.FAILED:
            self._error = self._graph.first_error()
        if plan.outputs and self._jobs is not None:
            everything = {name: record.context() for name, record in self._graph.jobs.items()}
            self._outputs = self._jobs.values(None, jobs=everything, needs=everything).resolve(plan.outputs, "outputs")

    def _expire(self, plan: Plan, jobs: JobRunner) -> asyncio.Task[None] | None:
        seconds = jobs.values(None).seconds(plan.timeout, "timeout")
        if seconds is None:
            return None

        async def expire() -> None:
            await asyncio.sleep(seconds)
            reason = f"the run took longer than {seconds:g} s"
            self._stop.request(State.TIMED_OUT, reason)
            await jobs.cancel(CancelOrder(reason=reason))

        return asyncio.create_task(expire())
