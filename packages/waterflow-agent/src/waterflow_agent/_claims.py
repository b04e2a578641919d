"""Who takes a job: the agent's own book of slots, the gate in front of the group queues, and the ``Claim`` activity.

A slot permit of a worker is taken per *poll*, so permits are not free slots: the gate only keeps a full agent from
polling, and the claim itself decides.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)

from waterflow_sdk.wire import CLAIM_ACTIVITY, AgentRef, ClaimRequest, WireVersionError, check_wire_version

from ._abilities import Abilities, objection_of_node
from ._registry import NodeRegistry

_FIRST_STEP_WITHIN = 10.0
_NEXT_STEP_WITHIN = 0.5
_HOLD = 1.0
_RETRY = timedelta(milliseconds=20)

Job = tuple[str, str]
"""Run id and job instance."""


class SlotBook:
    """Which jobs hold slots here: one for each running step, and one for a job between its steps, for a short time.

    A claimed job has ``first_step_within`` seconds to send its first step, then ``next_step_within`` after each.
    """

    def __init__(
        self, slots: int, first_step_within: float = _FIRST_STEP_WITHIN, next_step_within: float = _NEXT_STEP_WITHIN
    ) -> None:
        self.slots = slots
        self._first_step_within = first_step_within
        self._next_step_within = next_step_within
        self._steps: Counter[Job] = Counter()
        self._reserved: dict[Job, asyncio.TimerHandle] = {}
        self._free = asyncio.Event()
        self._free.set()

    @property
    def running(self) -> int:
        """Steps that run now."""
        return self._steps.total()

    @property
    def used(self) -> int:
        """Slots that are taken: by steps, and by jobs that wait for their next step."""
        return self.running + len(self._reserved)

    async def free(self) -> None:
        """Waits until a slot is free."""
        await self._free.wait()

    def claim(self, job: Job) -> bool:
        """Takes a slot for a job; True as well if it has one already (a claim that was sent again)."""
        if job not in self._steps and job not in self._reserved:
            if self.used >= self.slots:
                return False
            self._reserve(job, self._first_step_within)
        return True

    def begin(self, job: Job) -> None:
        """A step of the job starts."""
        self._release(job)
        self._steps[job] += 1
        self._update()

    def end(self, job: Job) -> None:
        """A step of the job has ended; its slot is kept for the next one for a moment."""
        self._steps[job] -= 1
        if self._steps[job] <= 0:
            del self._steps[job]
            self._reserve(job, self._next_step_within)
        self._update()

    def _reserve(self, job: Job, seconds: float) -> None:
        self._release(job)
        self._reserved[job] = asyncio.get_running_loop().call_later(seconds, self._release, job)
        self._update()

    def _release(self, job: Job) -> None:
        timer = self._reserved.pop(job, None)
        if timer:
            timer.cancel()
            self._update()

    def _update(self) -> None:
        if self.used < self.slots:
            self._free.set()
        else:
            self._free.clear()


class Gate(CustomSlotSupplier):
    """Lets a poll start only while the agent has a free slot."""

    def __init__(self, book: SlotBook) -> None:
        self._book = book

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Waits for a free slot."""
        del ctx
        await self._book.free()
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """Eager starts are not used: only polls take claims."""
        del ctx
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """The book counts, not the permits."""

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """The book counts, not the permits."""


class Claims:
    """The ``Claim`` activity."""

    def __init__(
        self,
        agent: AgentRef,
        book: SlotBook,
        registry: NodeRegistry,
        abilities: Abilities,
        hold: float = _HOLD,
    ) -> None:
        self._agent = agent
        self._book = book
        self._registry = registry
        self._abilities = abilities
        self._hold = hold

    @activity.defn(name=CLAIM_ACTIVITY)
    async def claim(self, request: ClaimRequest) -> AgentRef:
        """Takes the job, or refuses it so that another member is asked: AgentFull, NodeMissing, CapabilityMissing or
        WireVersion.
        """
        try:
            check_wire_version(request.wire)
        except WireVersionError as error:
            raise ApplicationError(str(error), type="WireVersion", next_retry_delay=_RETRY) from None
        missing = [name for name in request.nodes if name not in self._registry]
        if missing:
            raise ApplicationError(
                f"agent {self._agent.name} has no node {missing[0]!r}",
                *missing,
                type="NodeMissing",
                next_retry_delay=_RETRY,
            )
        if why := self._unfit(request):
            message = f"agent {self._agent.name} {why}"
            raise ApplicationError(message, type="CapabilityMissing", next_retry_delay=_RETRY)
        job = (request.run, request.job)
        if not self._book.claim(job) and not await self._claim_soon(job):
            raise ApplicationError(
                f"agent {self._agent.name} runs {self._book.running} of {self._book.slots} steps",
                type="AgentFull",
                next_retry_delay=_RETRY,
            )
        return self._agent

    def _unfit(self, request: ClaimRequest) -> str:
        """What the host lacks that the job's steps ask for, or that their nodes need."""
        found = {name: self._registry.get(name) for name in request.nodes}
        needs = {name: node.manifest.capabilities for name, node in found.items() if node}
        return self._abilities.objection(request.capabilities) or objection_of_node(self._abilities, needs)

    async def _claim_soon(self, job: Job) -> bool:
        """Holds the claim for a moment: where every member is full, this spares a storm of refusals."""
        try:
            async with asyncio.timeout(self._hold):
                while not self._book.claim(job):
                    await self._book.free()
        except TimeoutError:
            return False
        return True
