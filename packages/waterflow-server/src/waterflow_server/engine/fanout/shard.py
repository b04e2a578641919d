"""``WaterflowShard``: some instances of one large job, between the run and their own workflows."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow

from waterflow_sdk.wire import JobState, State

from .._wire import (
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    NOTE_SIGNAL,
    PAUSE_SIGNAL,
    STATE_QUERY,
    CancelOrder,
    Event,
    JobInput,
    JobNote,
    PauseOrder,
)
from ..calls._called import as_it_stands
from ..expansion._expansion import Instance
from ..signals._gate import Gate
from ..signals._inbox import MAX_EVENTS
from ..signals._stop import Stop
from ._children import Children, tell
from ._fanout import FanOut, pending_state
from ._job_record import JobRecord
from ._shard_wire import BRAKE_SIGNAL, SHARD_WORKFLOW, BrakeOrder, ShardInput, ShardResult, member_input


@workflow.defn(name=SHARD_WORKFLOW)
class WaterflowShard:
    """Starts its instances as a run does, passes on what the run says, and tells it what the instances wait for."""

    @workflow.init
    def __init__(self, given: ShardInput) -> None:
        self._given = given
        self._stop = Stop()
        self._gate = Gate(self._stop, given.common.paused)
        self._events = list(given.common.events)
        self._inputs = {member.instance: member_input(given.common, member) for member in given.members}
        self._record = JobRecord(plan=given.common.job, state=State.RUNNING)
        self._record.instances = [pending_state(each) for each in self._inputs.values()]
        self._children = Children(self._stop)
        self._fanout = FanOut(given.common.run.id, self._record, self._children, self._input, self._gate, self._stop)
        self._telling: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self, given: ShardInput) -> ShardResult:
        """To the end of every instance."""
        body = asyncio.create_task(self._body(given))
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                self._stop.request(State.CANCELLED, "cancelled through Temporal")
                await self._children.send(CANCEL_SIGNAL, CancelOrder(reason=self._stop.reason))
        body.result()
        await workflow.wait_condition(workflow.all_handlers_finished)  # what an instance said last reaches the run
        known = {state.instance: state for state in self._record.instances}
        return ShardResult(jobs=[known[name] for name in self._record.finished])

    @workflow.query(name=STATE_QUERY)
    def state(self) -> list[JobState]:
        """What the run does not know yet of the instances."""
        return self._record.instances

    @workflow.signal(name=CANCEL_SIGNAL)
    async def cancel(self, order: CancelOrder) -> None:
        """End what runs, start nothing more."""
        self._stop.request(State.CANCELLED, order.reason or "cancelled", force=order.force)
        await self._children.send(CANCEL_SIGNAL, order)

    @workflow.signal(name=PAUSE_SIGNAL)
    async def pause(self, order: PauseOrder) -> None:
        """Start nothing new until the run goes on."""
        self._gate.reason = (order.reason or "paused") if order.paused else None
        await self._children.send(PAUSE_SIGNAL, order)

    @workflow.signal(name=EVENT_SIGNAL)
    async def event(self, event: Event) -> None:
        """Something happened outside."""
        self._events = [*self._events, event][-MAX_EVENTS:]
        await self._children.send(EVENT_SIGNAL, event)

    @workflow.signal(name=BRAKE_SIGNAL)
    async def brake(self, order: BrakeOrder) -> None:
        """The job's rollout holds, goes on or ends."""
        await self._fanout.brake(order)

    @workflow.signal(name=NOTE_SIGNAL)
    async def note(self, note: JobNote) -> None:
        """An instance waits for somebody or something outside, or goes on: the run shows it."""
        self._record.note(note.instance, note.state, note.reason)
        await self._tell_run(note)

    async def _body(self, given: ShardInput) -> None:
        await self._fanout.brake(given.brake)
        if given.told:
            self._record.listeners.append(self._failed)
        instances = [Instance(name=name) for name in self._inputs]
        await self._fanout.run(instances, given.max_parallel, fail_fast=given.fail_fast)
        await asyncio.gather(*self._telling)

    def _input(self, instance: Instance) -> JobInput:
        return as_it_stands(self._inputs[instance.name], self._events, self._gate.reason)

    def _failed(self, state: JobState) -> None:
        reason = state.error.message if state.error else state.reason
        note = JobNote(job=state.id, instance=state.instance, state=State.FAILED, reason=reason)
        self._telling.append(asyncio.create_task(self._tell_run(note)))

    async def _tell_run(self, note: JobNote) -> None:
        parent = workflow.info().parent
        if parent is not None:
            handle: Any = workflow.get_external_workflow_handle(parent.workflow_id)
            await tell(handle, NOTE_SIGNAL, note)
