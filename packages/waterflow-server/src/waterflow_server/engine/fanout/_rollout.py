"""A rollout: batches of a group's hosts one after the other, up to the threshold of failures that the group bears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import workflow

from waterflow_dsl.plan import RolloutPlan
from waterflow_sdk.wire import BatchState, JobState, RolloutState, State

from ..expansion._batches import borne
from ..expansion._expansion import Instance
from ..signals._gate import Gate
from ..signals._stop import Stop
from ._job_record import FAILED, JobRecord, worst
from ._shard_wire import BrakeOrder

_NAMED = 3
"""Failed hosts that a reason names; the tree has all of them."""


class Hosts(Protocol):
    """What a rollout lets do: run instances to their end, under a brake, and ask or check between the batches."""

    def run(self, instances: list[Instance]) -> Awaitable[None]:
        """Run these instances to their end."""
        ...

    def brake(self, order: BrakeOrder) -> Awaitable[None]:
        """Hold, release or halt what has not started. The first part of it happens at once."""
        ...

    def check(self, batch: int, hosts: Sequence[Sequence[Instance]]) -> Awaitable[list[JobState]]:
        """Run the health gate after a batch; what failed of it."""
        ...

    def ask(self, batch: int, gate: str, message: str) -> Awaitable[JobState]:
        """Wait for somebody's decision."""
        ...


@dataclass(slots=True)
class Batch:
    """Hosts whose turn it is at the same time, each with its instances."""

    number: int
    hosts: list[list[Instance]]
    state: State = State.PENDING
    started: datetime | None = None
    ended: datetime | None = None


class Rollout:
    """The rollout of one job. ``pause`` is between two batches, in seconds; ``able`` are the instances that may run:
    those of a host that is offline, or whose result a retry keeps, are part of the group all the same.
    """

    def __init__(
        self,
        plan: RolloutPlan,
        record: JobRecord,
        batches: Sequence[list[list[Instance]]],
        able: Sequence[Instance],
        pause: float | None,
        stop: Stop,
        gate: Gate,
    ) -> None:
        self._plan = plan
        self._record = record
        self._batches = [Batch(number, hosts) for number, hosts in enumerate(batches, 1)]
        self._hosts = [host for batch in self._batches for host in batch.hosts]
        self._able = {instance.name for instance in able}
        self._pause = pause
        self._stop = stop
        self._gate = gate
        self._borne = borne(plan.max_failures, len(self._hosts))
        self._accepted = 0
        self._now = 1
        self._why = ""
        self._failed_because = ""
        self._halted = False
        self._deciding: asyncio.Task[None] | None = None
        self._site: Hosts | None = None

    # ── what is shown ──

    def state(self) -> RolloutState:
        """For the state tree."""
        return RolloutState(
            job=self._record.plan.id,
            state=self._shown(),
            hosts=len(self._hosts),
            failed=len(self._failed(self._hosts)),
            max_failures=self._borne,
            reason=self._why or self._failed_because,
            batches=[self._batch_state(batch) for batch in self._batches],
        )

    def conclusion(self) -> tuple[State, str]:
        """A rollout that went past its threshold has failed, whoever let it go on; below it, failures are borne."""
        if self._failed_because:
            return State.FAILED, self._failed_because
        failed = self._failed(self._hosts)
        if len(failed) > self._borne:  # a cancel came first, so that nothing was decided
            return State.FAILED, self._past(failed)
        states = {instance.state for instance in self._record.instances}
        return worst({State.SUCCESS if state in FAILED else state for state in states}), ""

    def _shown(self) -> State:
        if self._record.state.ended:
            return self._record.state
        if self._why:
            return State.WAITING
        return State.RUNNING

    def _batch_state(self, batch: Batch) -> BatchState:
        return BatchState(
            number=batch.number,
            state=batch.state,
            hosts=len(batch.hosts),
            failed=len(self._failed(batch.hosts)),
            started=batch.started,
            ended=batch.ended,
        )

    def _failed(self, hosts: Sequence[list[Instance]]) -> list[list[Instance]]:
        return [host for host in hosts if any(self._state(each) in FAILED for each in host)]

    def _state(self, instance: Instance) -> State:
        return self._record.state_of(instance.name)

    # ── the rollout itself ──

    async def run(self, site: Hosts) -> None:
        """To the end of every batch, or to the end of the failures that are borne."""
        self._site = site
        self._record.listeners.append(lambda _state: self._judge())
        self._judge()  # hosts that are offline have failed already
        await self._decided()
        for batch in self._batches:
            await self._batch(batch, site)
        self._why = ""

    async def _batch(self, batch: Batch, site: Hosts) -> None:
        due = [instance for host in batch.hosts for instance in host if instance.name in self._able]
        self._now = batch.number
        if due and not (self._halted or self._stop.cancelled):
            batch.state, batch.started = State.RUNNING, workflow.now()
        await site.run(due)
        await self._decided()
        if not (self._halted or self._stop.cancelled):
            await self._check(batch, site)
        batch.state = worst({self._state(instance) for host in batch.hosts for instance in host})
        batch.ended = workflow.now()
        if due and batch.number < len(self._batches) and not (self._halted or self._stop.cancelled):
            await self._between(batch, site)

    async def _check(self, batch: Batch, site: Hosts) -> None:
        if not self._plan.check:
            return
        failed = await site.check(batch.number, batch.hosts)
        if failed and not self._stop.cancelled:
            error = failed[0].error.message if failed[0].error else failed[0].reason
            self._trip(f"the check of batch {batch.number} failed: {failed[0].instance}: {error}")
            await self._decided()

    async def _between(self, batch: Batch, site: Hosts) -> None:
        done = sum(len(each.hosts) for each in self._batches[: batch.number])
        said = f"batch {batch.number} of {len(self._batches)} is done, {done} of {len(self._hosts)} hosts"
        if self._plan.approval_between:
            self._why = f"waits for approval: {said}"
            answer = await site.ask(batch.number, "approval", f"{said}: go on with batch {batch.number + 1}?")
            if answer.state is not State.SUCCESS and not self._stop.cancelled:
                await self._halt(_refusal(answer), site)
        elif self._pause:
            self._why = f"{said}; the next one starts {self._pause:g} s later"
            await self._stop.sleep(self._pause)
        await self._gate.passed()
        self._why = ""

    # ── the threshold ──

    def _judge(self) -> None:
        """Hold what has not started when more have failed than the group bears."""
        failed = self._failed(self._hosts)
        if len(failed) - self._accepted > self._borne:
            self._trip(self._past(failed))

    def _past(self, failed: Sequence[list[Instance]]) -> str:
        names = ", ".join(host[0].agent.name for host in failed[:_NAMED] if host[0].agent is not None)
        more = ", …" if len(failed) > _NAMED else ""
        again = f", {self._accepted} of which were accepted" if self._accepted else ""
        limit = f"max-failures is {self._plan.max_failures}"
        return f"{len(failed)} of {len(self._hosts)} hosts failed ({names}{more}){again}; {limit}"

    def _trip(self, reason: str) -> None:
        """The threshold is passed. Nothing more starts from this moment; what follows is decided beside."""
        if self._halted or self._deciding is not None or self._stop.cancelled:
            return
        self._failed_because = self._failed_because or reason
        self._deciding = asyncio.create_task(self._decide(reason))

    async def _decide(self, reason: str) -> None:
        assert self._site is not None
        site = self._site
        if self._plan.on_threshold != "pause" or not self._left():
            await self._halt(f"rollout stopped: {reason}", site)
            return
        self._why = f"waits for a decision: {reason}"
        await site.brake(BrakeOrder(held=True))
        answer = await site.ask(self._now, "threshold", f"{reason}: go on with the other hosts?")
        self._why = ""
        self._accepted = len(self._failed(self._hosts))
        self._deciding = None
        if answer.state is State.SUCCESS or self._stop.cancelled:
            await site.brake(BrakeOrder())
        else:
            await self._halt(_refusal(answer), site)

    async def _halt(self, reason: str, site: Hosts) -> None:
        self._halted = True
        self._failed_because = self._failed_because or reason
        await site.brake(BrakeOrder(halted=reason))

    async def _decided(self) -> None:
        if self._deciding is not None:
            await self._deciding

    def _left(self) -> bool:
        return any(
            self._state(instance) is State.PENDING and instance.name in self._able
            for host in self._hosts
            for instance in host
        )


def _refusal(answer: JobState) -> str:
    return f"rollout stopped: {answer.error.message if answer.error else answer.reason}"
