"""``WaterflowRun``: one run, from the plan to its result. Jobs start the moment their needs have ended."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import Plan, PlanVersionError, decode_plan
from waterflow_sdk.wire import ErrorInfo, RunInfo, RunState, State

from .. import _search_attributes as attributes
from ..concurrency import VERDICT_SIGNAL, Verdict
from ._concurrency import Turn, run_lock, wholes
from ._graph import Graph, JobRecord
from ._job_context import durable_now
from ._run_context import run_contexts
from ._run_jobs import JobRunner
from ._stop import Stop
from ._values import StepFailure
from ._wire import (
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    NOTE_SIGNAL,
    PAUSE_UPDATE,
    RUN_WORKFLOW,
    STATE_QUERY,
    CancelOrder,
    Event,
    JobNote,
    PauseOrder,
    RunInput,
)


@workflow.defn(name=RUN_WORKFLOW)
class WaterflowRun:
    """Runs a plan. The result is an index: the run's state with its job instances, without their steps."""

    @workflow.init
    def __init__(self, given: RunInput) -> None:
        self._given = given
        self._stop = Stop()
        self._turn = Turn(self._stop)
        self._plan: Plan | None = None
        self._graph = Graph(())
        self._jobs: JobRunner | None = None
        self._state = State.QUEUED
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
            concurrency=self._turn.group,
            pauses=list(self._jobs.gate.pauses) if self._jobs is not None else [],
            jobs=self._graph.states(),
        )

    def _shown(self) -> tuple[State, str]:
        if self._jobs is not None and self._jobs.gate.closed and not self._state.ended:
            return State.PAUSED, self._jobs.gate.reason or ""
        waiting = None if self._state.ended else self._graph.waiting()
        if waiting is not None:
            return State.WAITING, f"{waiting.instance}: {waiting.reason}"
        return self._state, self._stop.reason or (self._error.message if self._error else "") or self._turn.reason

    @workflow.signal(name=CANCEL_SIGNAL)
    async def cancel(self, order: CancelOrder) -> None:
        """End what runs; jobs that say ``always()`` and ``finally`` steps still run unless forced."""
        await self._cancel(order)

    @workflow.signal(name=VERDICT_SIGNAL)
    async def verdict(self, verdict: Verdict) -> None:
        """The concurrency group is this run's now, or the run has to end for another one."""
        if not self._turn.hear(verdict):
            await self._cancel(CancelOrder(reason=verdict.reason))

    @workflow.update(name=PAUSE_UPDATE)
    async def pause(self, order: PauseOrder) -> None:
        """Pause or go on: running steps finish, no new one starts."""
        await workflow.wait_condition(lambda: self._jobs is not None or self._state.ended)
        if self._jobs is not None:
            await self._jobs.pause(order)

    @workflow.signal(name=EVENT_SIGNAL)
    async def event(self, event: Event) -> None:
        """Something happened outside; the first ``wait`` for it takes it."""
        await workflow.wait_condition(lambda: self._jobs is not None or self._state.ended)
        if self._jobs is not None:
            await self._jobs.deliver(event)

    @workflow.signal(name=NOTE_SIGNAL)
    def note(self, note: JobNote) -> None:
        """A job waits for somebody or something outside, or goes on."""
        self._graph.jobs[note.job].note(note.instance, note.state, note.reason)

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
        await self._turn.release()

    def _publish_state(self) -> None:
        state = [attributes.STATE.value_set(self._state.value)]
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
        if not await self._admitted(plan):
            return
        expiry = self._expire(plan, jobs)
        await asyncio.gather(*(self._job(record) for record in self._graph.jobs.values()))
        if expiry is not None:
            expiry.cancel()
        self._conclude(plan)

    async def _admitted(self, plan: Plan) -> bool:
        """Wait for the file's concurrency group; false when the run was stopped first, so that nothing of it runs."""
        lock = self._given.concurrency or run_lock(self._given, plan, durable_now(), wholes())
        if lock is None:
            return True
        self._state, self._started = State.QUEUED, None
        if not await self._turn.take(lock, enqueued=self._given.concurrency is not None):
            self._state = self._stop.state or State.CANCELLED
            for record in self._graph.jobs.values():
                record.skip(State.CANCELLED, self._stop.reason, workflow.now())
            return False
        self._state, self._started = State.RUNNING, workflow.now()
        self._publish_state()
        return True

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
            self._error = _first_error(self._graph)
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


def _first_error(graph: Graph) -> ErrorInfo | None:
    for record in graph.jobs.values():
        if record.state not in (State.FAILED, State.TIMED_OUT) or record.tolerated:
            continue
        for instance in record.instances:
            if instance.state in (State.FAILED, State.TIMED_OUT):
                inner = instance.error.message if instance.error else instance.reason
                code = instance.error.code if instance.error else instance.state.value
                return ErrorInfo(code=code, message=f"job {instance.instance}: {inner or instance.state.value}")
        return ErrorInfo(code="job-failed", message=f"job {record.plan.id}: {record.reason}")
    return None
