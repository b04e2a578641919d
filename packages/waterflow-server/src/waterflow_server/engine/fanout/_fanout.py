"""The instances of one job as child workflows: at most ``max-parallel`` at once, fail-fast, and a brake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError

from waterflow_sdk.wire import ErrorInfo, JobState, State, job_workflow_id

from .._job_state import job_state
from .._wire import CANCEL_SIGNAL, JOB_WORKFLOW, CancelOrder, JobInput, JobResult
from ..expansion._expansion import Instance
from ..signals._gate import Gate
from ..signals._stop import Stop
from ._brake import Brake
from ._children import Children
from ._job_record import FAILED, JobRecord
from ._shard_wire import BRAKE_SIGNAL, SHARD_SIZE, SHARD_WORKFLOW, BrakeOrder, ShardResult, shard_input


class FanOut:
    """Starts and follows the instances of a job. ``given`` makes the input of an instance's child workflow, ``record``
    hears what becomes of it.
    """

    def __init__(
        self,
        run_id: str,
        record: JobRecord,
        children: Children,
        given: Callable[[Instance], JobInput],
        gate: Gate,
        stop: Stop,
    ) -> None:
        self._run_id = run_id
        self._record = record
        self._children = children
        self._given = given
        self._gate = gate
        self._stop = stop
        self._failed = ""
        self._telling: asyncio.Task[None] | None = None
        self._shards = f"{record.plan.id}#shards"
        self._brake = Brake(stop)
        children.found(record.plan.id)
        children.found(self._shards)

    async def run(self, instances: list[Instance], max_parallel: int, *, fail_fast: bool) -> None:
        """To the end of every instance."""
        if len(instances) > SHARD_SIZE and workflow.patched("2026-11-shards"):
            await self._sharded(instances, max_parallel, fail_fast)
            return
        slots = asyncio.Semaphore(max(max_parallel, 1))
        await asyncio.gather(*(self._one(instance, slots, fail_fast) for instance in instances))

    async def brake(self, order: BrakeOrder) -> None:
        """Hold, release or halt what has not started."""
        self._brake.apply(order)
        await self._children.send(BRAKE_SIGNAL, order, self._shards)

    async def _one(self, instance: Instance, slots: asyncio.Semaphore, fail_fast: bool) -> None:
        async with slots:
            await self._children.enter()
            try:
                state = await self._unless_stopped(instance, fail_fast)
            finally:
                self._children.leave()
            self._record.update(state)
        if state.state in FAILED and fail_fast:
            await self._fail_fast(state.instance)

    async def _fail_fast(self, failed: str) -> None:
        if not self._failed:
            self._failed = failed
            order = CancelOrder(reason=f"fail-fast: {failed} failed")
            await self._children.send(CANCEL_SIGNAL, order, self._record.plan.id, self._shards)

    async def _unless_stopped(self, instance: Instance, fail_fast: bool) -> JobState:
        await self._gate.passed()
        await self._brake.passed()
        given = self._given(instance)
        stopped = self._stopped(fail_fast)
        return instance_state(given, State.CANCELLED, reason=stopped) if stopped else await self._follow(given)

    def _stopped(self, fail_fast: bool) -> str:
        """Why nothing more starts; empty when something may."""
        if self._stop.cancelled:
            return self._stop.reason
        return f"fail-fast: {self._failed} failed" if self._failed and fail_fast else self._brake.halted

    async def _follow(self, given: JobInput) -> JobState:
        id = job_workflow_id(self._run_id, given.instance)
        child = await self._children.start(self._record.plan.id, JOB_WORKFLOW, given, id, JobResult)
        self._record.update(job_state(given, State.RUNNING, agent=given.agent))  # None: the job itself knows more
        try:
            return (await child).state
        except ChildWorkflowError as error:
            return ended_from_outside(given, error)

    # ── more than a workflow bears: parts of it are workflows of their own ──

    async def _sharded(self, instances: list[Instance], max_parallel: int, fail_fast: bool) -> None:
        """As many at once as allowed: whole shards side by side, or one after the other with fewer each."""
        slots = asyncio.Semaphore(max(max_parallel // SHARD_SIZE, 1))
        pieces = [instances[begin : begin + SHARD_SIZE] for begin in range(0, len(instances), SHARD_SIZE)]
        if fail_fast:
            self._record.listeners.append(self._heard)
        most = max(min(max_parallel, SHARD_SIZE), 1)
        await asyncio.gather(*(self._shard(piece, slots, most, fail_fast) for piece in pieces))

    def _heard(self, failed: JobState) -> None:
        if not self._failed:
            self._telling = asyncio.create_task(self._fail_fast(failed.instance))

    async def _shard(self, piece: list[Instance], slots: asyncio.Semaphore, most: int, fail_fast: bool) -> None:
        async with slots:
            await self._gate.passed()
            await self._brake.passed()
            given = [self._given(instance) for instance in piece]
            if stopped := self._stopped(fail_fast):
                states = [instance_state(each, State.CANCELLED, reason=stopped) for each in given]
            else:
                states = await self._follow_shard(given, most, fail_fast)
        for state in states:
            self._record.update(state)

    async def _follow_shard(self, given: list[JobInput], most: int, fail_fast: bool) -> list[JobState]:
        whole, slash, _ = given[0].instance.rpartition("/")  # of the job that calls this workflow, if one does
        name = f"{whole}{slash}{self._record.plan.id}[#shard-{self._record.next_shard()}]"
        brake = BrakeOrder(held=self._brake.held)
        order = shard_input(given, most, fail_fast=fail_fast, told=bool(self._record.listeners), brake=brake)
        id = job_workflow_id(self._run_id, name)
        await self._children.enter()
        try:
            child = await self._children.start(self._shards, SHARD_WORKFLOW, order, id, ShardResult)
            self._record.shards.append(name)
            return (await child).jobs
        except ChildWorkflowError as error:
            return [ended_from_outside(each, error) for each in given]
        finally:
            self._children.leave()
            if name in self._record.shards:
                self._record.shards.remove(name)


def ended_from_outside(given: JobInput, error: ChildWorkflowError) -> JobState:
    """An instance whose workflow nobody of ours has ended."""
    reason = f"the job's workflow was ended from outside: {error.cause or error}"
    return instance_state(given, State.FAILED, reason=reason, error=ErrorInfo(code="job-workflow", message=reason))


def instance_state(given: JobInput, state: State, *, reason: str = "", error: ErrorInfo | None = None) -> JobState:
    """An instance as its run knows it, before its own workflow tells more."""
    return job_state(given, state, reason=reason, ended=workflow.now() if state.ended else None, error=error)


def pending_state(given: JobInput, batch: int | None = None) -> JobState:
    """An instance that has not started; ``batch`` is the number of its batch in a rollout."""
    return msgspec.structs.replace(instance_state(given, State.PENDING), batch=batch)


def numbered(instances: list[Instance], batches: list[list[list[Instance]]]) -> list[tuple[str, int | None]]:
    """The instances with the number of their batch, from 1; None without a rollout."""
    found = {each.name: number for number, batch in enumerate(batches, 1) for host in batch for each in host}
    return [(instance.name, found.get(instance.name)) for instance in instances]


def refused_state(given: JobInput, state: State, reason: str) -> JobState:
    """An instance that never starts because its host is not there."""
    error = ErrorInfo(code="no-agent", message=reason) if state is State.FAILED else None
    return instance_state(given, state, reason=reason, error=error)
