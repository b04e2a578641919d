"""Where a rollout takes place: its job's instances, and beside them the gates, each a job instance of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from waterflow_dsl.plan import JobPlan, NodePlan, StepPlan, UsesKind, UsesPlan
from waterflow_sdk.wire import AgentState, JobState, State

from .._plans import all_steps
from ..expansion._batches import batch_sizes, by_host, cut, ranked
from ..expansion._expansion import Instance, combine
from ._fanout import FanOut
from ._job_record import FAILED, JobRecord
from ._shard_wire import BrakeOrder

RunAside = Callable[[JobPlan, list[Instance], int, str], Awaitable[None]]
"""Runs gates of a job to their end: its plan with other steps, the gates, the batch's number, the kind of gate."""


class RolloutSite:
    """One job's. ``run`` runs its own instances, ``aside`` its gates; ``kept`` names what a retry keeps.

    A health gate with steps that need an agent runs on each host of its batch that has succeeded, one without runs
    once, in the interpreter.
    """

    def __init__(
        self,
        job: JobPlan,
        record: JobRecord,
        fanout: FanOut,
        limit: int,
        fail_fast: bool,
        aside: RunAside,
        kept: Collection[str],
        prefix: str,
    ) -> None:
        self._job = job
        self._record = record
        self._fanout = fanout
        self._limit = limit
        self._fail_fast = fail_fast
        self._aside = aside
        self._kept = kept
        self._name = prefix + job.id
        self._asked = 0

    async def run(self, instances: list[Instance]) -> None:
        """Run these instances to their end."""
        await self._fanout.run(instances, self._limit, fail_fast=self._fail_fast)

    async def brake(self, order: BrakeOrder) -> None:
        """Hold, release or halt what has not started."""
        await self._fanout.brake(order)

    async def check(self, batch: int, hosts: Sequence[Sequence[Instance]]) -> list[JobState]:
        """Run the health gate; what failed of it."""
        assert self._job.rollout is not None
        steps = self._job.rollout.check
        healthy = [host for host in hosts if all(self._succeeded(each) for each in host)]
        names = self._checks(batch, healthy) if needs_agent(steps) else self._one_check(batch, healthy)
        due = [check for check in names if check.name not in self._kept or not self._all_kept(check, healthy)]
        await self._aside(_gate(self._job, steps, timeout=True), due, batch, "check")
        ran = {check.name for check in due}
        return [gate for gate in self._record.gates if gate.instance in ran and gate.state in FAILED]

    async def ask(self, batch: int, gate: str, message: str) -> JobState:
        """Wait for somebody's decision."""
        self._asked += 1
        again = f"-{self._asked}" if self._asked > 1 and gate == "threshold" else ""
        name = f"{self._name}[batch-{batch}#{gate}{again}]"
        said = message.replace("${{", "$ {{")  # what an error says is no template
        step = StepPlan(
            path="steps[0]",
            name="approval",
            uses=UsesPlan(kind=UsesKind.CONTROL, name="approval"),
            inputs={"message": said},
        )
        await self._aside(_gate(self._job, (step,), timeout=False), [Instance(name=name)], batch, gate)
        return next(state for state in self._record.gates if state.instance == name)

    def _succeeded(self, instance: Instance) -> bool:
        return self._record.state_of(instance.name) is State.SUCCESS

    def _one_check(self, batch: int, hosts: Sequence[Sequence[Instance]]) -> list[Instance]:
        return [Instance(name=f"{self._name}[batch-{batch}#check]")] if hosts else []

    def _checks(self, batch: int, hosts: Sequence[Sequence[Instance]]) -> list[Instance]:
        found = combine(self._job.id, [{}], [(host[0].agent, "") for host in hosts])
        begin = len(self._job.id) + 1
        return [
            msgspec.structs.replace(check, name=f"{self._name}[batch-{batch}#check,{check.name[begin:]}", index=None)
            for check in found
        ]

    def _all_kept(self, check: Instance, hosts: Sequence[Sequence[Instance]]) -> bool:
        """Whether a retry keeps all that a check judges."""
        return all(
            instance.name in self._kept
            for host in hosts
            if check.agent is None or host[0].agent == check.agent
            for instance in host
        )


def batches_of(
    job: JobPlan, instances: Sequence[Instance], members: Sequence[AgentState]
) -> list[list[list[Instance]]]:
    """The rollout's batches: lists of hosts, each a list of instances. Raises StepFailure."""
    assert job.rollout is not None
    hosts = by_host(instances, ranked(members, job.rollout.order))
    return cut(hosts, batch_sizes(job.rollout.batches, len(hosts)))


def _gate(job: JobPlan, steps: tuple[NodePlan, ...], *, timeout: bool) -> JobPlan:
    """The job with other steps and nothing of what follows from them."""
    return msgspec.structs.replace(
        job,
        name=job.name or job.id,
        steps=steps,
        on_failure=(),
        finally_=(),
        outputs={},
        retry=None,
        concurrency=None,
        environment=None,
        timeout=job.timeout if timeout else None,
    )


def needs_agent(nodes: tuple[NodePlan, ...]) -> bool:
    """Whether any of these steps runs on an agent; the interpreter runs control nodes itself."""
    return any(step.uses.kind is not UsesKind.CONTROL for step in all_steps(nodes))
