"""The course of a job instance: its turn, its agent, its steps, what follows them. Over roll-overs it is one course."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import NodePlan, StepPlan
from waterflow_sdk.wire import AgentRef, ClaimRequest, ErrorInfo, Interval, State

from ..._garbage import no_collection
from ...concurrency import Verdict
from .._values import StepFailure
from .._wire import Conclusion, JobInput, JobMemory
from ..calls._call import Call
from ..memory._carried import fitting
from ..memory._course import Course
from ..memory._rollover import HARD_LIMIT
from ..signals._stop import Stop
from ..signals._turn import Turn, lock_request, wholes
from ..steps._context import JobContext, Scope
from ..steps._endings import Endings
from ..steps._steps import StepRunner
from ._environment import Environment
from ._memory import next_input, recall_course, recall_stop
from ._placement import NoAgentSkip, Placement, capabilities_used, nodes_used
from ._steps import job_error, run_main_steps, waiting

_MAX_WAITS = 20


class JobBody:
    """Runs one job instance to its end; what it is meanwhile can be read off it at any time."""

    def __init__(self, given: JobInput) -> None:
        self._given = given
        self.stop = Stop()
        self.turn = Turn(self.stop)
        self.job = JobContext(given, self.stop)
        self.environment = Environment(given.job.environment, self.job)
        self.call = Call(given.calls, given.instance, self.stop)
        self.course = Course(queued=workflow.now())
        self.scope = Scope()
        self.waits: list[Interval] = []
        self.ended: datetime | None = None
        self.outputs: dict[str, Any] = {}
        self.error: ErrorInfo | None = None
        self._state = State.QUEUED
        self._reason = ""
        if given.memory is not None:
            with no_collection():
                self._recall(given.memory)

    def shown(self) -> tuple[State, str]:
        """State and reason as seen from outside: a pause and a wait show through."""
        if self._state.ended:
            return self._state, self._reason
        if self.job.gate.closed:
            return State.PAUSED, self.job.gate.reason or ""
        step = waiting(self.course.records())
        outside = step.reason if step else self.environment.waiting or self.call.waiting
        return (State.WAITING, outside) if outside else (self._state, self._reason or self.turn.reason)

    async def run(self) -> None:
        """To the end of the job."""
        expiry = None
        try:
            if self.course.started is None:
                await self._prepare()
                if self.stop.cancelled:
                    return self._end(State.CANCELLED, self.stop.reason)
                self._begin()
            expiry = self._expire()
            await (self._run_steps() if self._given.calls is None else self._run_call())
        except NoAgentSkip as skip:
            self._end(State.SKIPPED, str(skip))
        except StepFailure as failure:
            self.error = self.job.mask_error(failure.error)
            self._end(State.FAILED, self.error.message)
        finally:
            if expiry is not None:
                expiry.cancel()
            await self.turn.release()

    async def roll_over(self) -> None:
        """Go on in a new run of the workflow, if everything still rests after what has just come in, and if it fits."""
        await workflow.wait_condition(lambda: True)  # whoever has something to do now does it first
        if not self.job.roll.ready:
            return
        memory = JobMemory(queued=self.course.queued, reason=self._reason, waits=self.waits, group=self.turn.group)
        with no_collection():
            given = fitting(next_input(self.job, self.course, self.environment, memory))
        if given is not None:
            workflow.continue_as_new(given)
        self.job.roll.postpone()
        if workflow.info().get_current_history_length() >= HARD_LIMIT and not self.stop.cancelled:
            self.stop.request(State.FAILED, "what the job has to remember is too large: more than 2 MB of outputs")

    def _recall(self, memory: JobMemory) -> None:
        """As the last run of the workflow left it."""
        self.course = recall_course(memory, self.job)
        recall_stop(memory, self.stop)
        self.environment.state, self.environment.approval = memory.environment, memory.approval
        self._reason, self.waits = memory.reason, memory.waits
        self._state = State.QUEUED if memory.started is None else State.RUNNING
        self.error = memory.conclusion.error if memory.conclusion else None
        if memory.group:
            self.turn.group = memory.group
            self.turn.hear(Verdict(granted=True))

    async def _prepare(self) -> None:
        """Everything before the first step. Roll-overs come while it looks for an agent, not earlier."""
        if self._given.memory is None:
            await self.environment.admit()
            await self._take_turn()
        if self._given.calls is None:
            await self._place()

    def _begin(self) -> None:
        self._report("")
        self._state, self.course.started = State.RUNNING, workflow.now()
        self.course.timeout = self.job.values(Scope()).seconds(self._given.job.timeout, "timeout")

    async def _take_turn(self) -> None:
        plan = self._given.job.concurrency
        if plan is not None:
            within = self._given.within or wholes()
            lock = lock_request(plan, self.job.values(Scope()), workflow.info().workflow_id, within)
            await self.turn.take(lock, enqueued=False)

    async def _run_call(self) -> None:
        """The reusable workflow in place of steps: its outputs and its result are the job's."""
        called = await self.call.run()
        self.outputs, self.error = called.outputs, called.error
        stopped = self.stop.state if called.state is State.CANCELLED else None
        self._end(stopped or called.state, called.error.message if called.error else self.stop.reason or called.reason)

    async def _run_steps(self) -> None:
        plan = self._given.job
        runner = StepRunner(self.job, self._reassign if self._may_move() else None)
        within = self._given.memory.stop.within if self._given.memory else None
        endings = Endings(runner, self.course.lists, within)
        scope = await run_main_steps(runner, plan, self.course, self._turn_begins)
        found = self.course.conclusion = self.course.conclusion or self._conclusion(scope)
        self.error = found.error
        if not self.stop.force or len(self.course.lists) > 1:
            await endings.run(plan, scope, stopped=found.stopped)
        state = found.state
        try:
            self.outputs = self.job.mask(self.job.values(scope).resolve(plan.outputs, "outputs"))
            self.environment.show(scope)
        except StepFailure as failure:
            state = State.FAILED
            self.error = self.error or self.job.mask_error(failure.error)
        self._end(state, self.error.message if self.error else self.stop.reason)

    def _conclusion(self, scope: Scope) -> Conclusion:
        self.job.halted = ""
        return Conclusion(
            state=self.job.job_state(scope),
            error=job_error(self.course.lists[0], self.job),
            stopped=self.stop.cancelled,
        )

    def _turn_begins(self, scope: Scope) -> None:
        self.scope = scope

    def _end(self, state: State, reason: str) -> None:
        self._note_wait("")
        self._state, self._reason, self.ended = state, reason, workflow.now()

    def _expire(self) -> asyncio.Task[None] | None:
        seconds, started = self.course.timeout, self.course.started
        if seconds is None or started is None:
            return None
        left = max(seconds - (workflow.now() - started).total_seconds(), 0.0)

        async def expire() -> None:
            await asyncio.sleep(left)
            self.course.timeout = None  # once is enough: what follows the steps is not timed
            self.stop.request(State.TIMED_OUT, f"the job took longer than {seconds:g} s")

        return asyncio.create_task(expire())

    def _may_move(self) -> bool:
        return self._given.agent is None and self._given.job.target.agent is None

    async def _place(self) -> None:
        plan = self._given.job
        steps = (*plan.steps, *plan.on_failure, *plan.finally_)
        if self.job.agent is None and (nodes_used(steps) or _has_dynamic(plan.steps)):
            self.job.agent = await self._find_agent(steps)

    async def _reassign(self) -> AgentRef | None:
        self.job.agent = await self._find_agent(self._given.job.steps) or self.job.agent
        self._report("")
        return None if self.stop.cancelled else self.job.agent

    async def _find_agent(self, steps: tuple[NodePlan, ...]) -> AgentRef | None:
        offline = self._given.job.offline
        wait = self.job.values(Scope()).seconds(offline.wait, "offline.wait") or 0.0
        request = ClaimRequest(
            run=self._given.run.id,
            job=self._given.instance,
            nodes=nodes_used(steps),
            capabilities=capabilities_used(steps),
        )
        return await Placement(
            request,
            self._given.job.target,
            offline,
            wait,
            self.stop,
            self._report,
            self.job.roll.passed,
            self.course,
            self._given.lacking,
        ).place()

    def _report(self, reason: str) -> None:
        if reason == self._reason:
            return
        self._note_wait(reason)
        self._reason = reason

    def _note_wait(self, reason: str) -> None:
        """Since when it has waited for an agent, and for that reason; an empty one ends the wait."""
        if self._reason and self.waits:
            self.waits[-1] = msgspec.structs.replace(self.waits[-1], until=workflow.now())
        if reason:
            self.waits = [*self.waits, Interval(since=workflow.now(), reason=reason)][-_MAX_WAITS:]


def _has_dynamic(nodes: tuple[Any, ...]) -> bool:
    return any(not isinstance(node, StepPlan) or node.uses.kind != "control" for node in nodes)
