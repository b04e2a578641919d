"""Runs one job of a run: its condition, its instances, its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import CallPlan, JobPlan, TargetPlan
from waterflow_sdk.wire import RunInfo, State

from .._clock import durable_now
from .._values import StepFailure, Values
from .._wire import (
    CANCEL_SIGNAL,
    EVENT_SIGNAL,
    PAUSE_SIGNAL,
    CancelOrder,
    Event,
    JobInput,
    PauseOrder,
    RunInput,
    Workflows,
)
from ..calls._called import as_it_stands, call_input, instance_prefix, placed_in, starts_others, within
from ..expansion._expansion import Instance, as_groups_say, concrete_target
from ..fanout._children import Children
from ..fanout._fanout import FanOut, numbered, pending_state, refused_state
from ..fanout._instances import expand
from ..fanout._job_record import JobRecord
from ..fanout._rollout import Rollout
from ..fanout._rollout_site import RolloutSite, RunAside, batches_of
from ..signals._gate import Gate
from ..signals._inbox import MAX_EVENTS
from ..signals._notes import notes_share
from ..signals._stop import Stop
from ._graph import Graph

NO_LIMIT = 1_000_000


class JobRunner:
    """Runs the jobs of one run. ``contexts`` are the run's own: vars, inputs, run, workflow, event, github."""

    def __init__(self, given: RunInput, info: RunInfo, graph: Graph, contexts: dict[str, Any], stop: Stop) -> None:
        self._given = given
        self._info = info
        self._graph = graph
        self._contexts = contexts
        self._stop = stop
        self._env: dict[str, Any] = {}
        self._lacking = given.lacking
        self._children = Children(stop)
        self._events: list[Event] = []
        self.gate = Gate(stop)

    def set_env(self, env: dict[str, str]) -> None:
        """The file's environment, resolved."""
        self._env = env

    def leave_out(self, lacking: dict[str, list[str]]) -> None:
        """Agents that are not to get a job, by the job, beside those that the caller knows of."""
        self._lacking = {**self._lacking, **lacking}

    async def cancel(self, order: CancelOrder) -> None:
        """Pass a cancel on to every instance that runs."""
        await self._send(CANCEL_SIGNAL, order)

    async def pause(self, order: PauseOrder) -> None:
        """Start nothing new, or go on."""
        self.gate.reason = (order.reason or "paused") if order.paused else None
        await self._send(PAUSE_SIGNAL, order)

    async def deliver(self, event: Event) -> None:
        """Give an event to every instance that runs and to those that start later."""
        self._events = [*self._events, event][-MAX_EVENTS:]
        await self._send(EVENT_SIGNAL, event)

    async def _send(self, signal: str, argument: Any) -> None:
        await self._children.send(signal, argument)

    async def run(self, record: JobRecord) -> None:
        """From "all needs have ended" to the job's result; never raises for what a workflow file can cause."""
        values = self.values(record.plan)
        try:
            if not values.condition(record.plan.condition):
                record.skip(*self._why_skipped(record.plan), workflow.now())
                return
            await self._instances(record, values)
            record.conclude()
            if record.state in (State.FAILED, State.TIMED_OUT):
                record.tolerated = values.flag(record.plan.continue_on_error, "continue-on-error")
        except StepFailure as failure:
            record.skip(State.FAILED, failure.error.message, workflow.now())

    def values(self, job: JobPlan | None, **names: Any) -> Values:
        """An evaluator as a job sees the run."""
        contexts: dict[str, Any] = {
            **self._contexts,
            "secrets": self._given.secrets,
            "env": self._env,
            "needs": self._graph.needs_context(job) if job else {},
            "matrix": None,
            "strategy": None,
            "item": None,
            "index": None,
            **names,
        }
        return Values(contexts, self._functions(job))

    def _functions(self, job: JobPlan | None) -> dict[str, Any]:
        stopped = self._stop.cancelled
        return {
            "success": lambda: not stopped and (job is None or self._graph.needs_succeeded(job)),
            "failure": lambda: job is not None and self._graph.ancestor_failed(job),
            "cancelled": lambda: stopped,
            "always": lambda: True,
            "now": durable_now,
        }

    def _why_skipped(self, job: JobPlan) -> tuple[State, str]:
        if self._stop.cancelled:
            return State.CANCELLED, self._stop.reason
        for name in job.needs:
            if self._graph.jobs[name].result != "success":
                return State.SKIPPED, f"{name} {self._graph.jobs[name].state.value}"
        return State.SKIPPED, f"if: {job.condition} was false"

    async def _instances(self, record: JobRecord, values: Values) -> None:
        target = TargetPlan()  # a called workflow runs on no host: its jobs do
        if record.plan.call is None:
            target = as_groups_say(concrete_target(record.plan, values), self._given.target_all)
        job = msgspec.structs.replace(record.plan, target=target)
        instances, members = await expand(job, job.target, values)
        instances = placed_in(self._given, instances)
        share = notes_share(self._given.notes, len(self._graph.jobs), len(instances))
        inputs = {instance.name: self._input(job, instance, share) for instance in instances}
        batches = batches_of(job, instances, members) if job.rollout and members else []
        record.instances = [pending_state(inputs[name], number) for name, number in numbered(instances, batches)]
        record.state = State.RUNNING
        able = [instance for instance in instances if self._may_start(record, instance, inputs[instance.name])]
        limit, fail_fast = self._limits(job, values)
        fanout = self._fan_out(record, inputs)
        if not batches or job.rollout is None:
            await fanout.run(able, limit, fail_fast=fail_fast)
            return
        pause = values.seconds(job.rollout.pause_between, "rollout.pause-between")
        record.gates = [state for state in self._given.kept.values() if state.id == job.id and state.gate]
        prefix, aside = instance_prefix(self._given), self._aside(record, limit, share)
        site = RolloutSite(job, record, fanout, limit, fail_fast, aside, self._given.kept, prefix)
        record.rollout = rollout = Rollout(job.rollout, record, batches, able, pause, self._stop, self.gate)
        await rollout.run(site)

    def _fan_out(self, record: JobRecord, inputs: dict[str, JobInput]) -> FanOut:
        return FanOut(self._given.id, record, self._children, self._given_now(inputs), self.gate, self._stop)

    def _aside(self, record: JobRecord, limit: int, notes: int) -> RunAside:
        """Runs the gates of a rollout, beside the job's instances."""

        async def run(job: JobPlan, gates: list[Instance], batch: int, kind: str) -> None:
            inputs = {gate.name: self._input(job, gate, notes) for gate in gates}
            shown = [msgspec.structs.replace(pending_state(given, batch), gate=kind) for given in inputs.values()]
            record.gates = [*(gate for gate in record.gates if gate.instance not in inputs), *shown]
            await self._fan_out(record, inputs).run(gates, limit, fail_fast=False)

        return run

    def _given_now(self, inputs: dict[str, JobInput]) -> Callable[[Instance], JobInput]:
        """The input of an instance at the moment it starts: with the events that came until then."""
        return lambda instance: as_it_stands(inputs[instance.name], self._events, self.gate.reason)

    def _may_start(self, record: JobRecord, instance: Instance, given: JobInput) -> bool:
        """Not one whose result a retry keeps; one whose host is offline only where the policy is to wait for it."""
        kept = self._given.kept.get(instance.name)
        if kept is not None:
            record.update(kept)
            return False
        policy = given.job.offline.policy
        if not instance.offline or policy == "wait":
            return True
        state = State.SKIPPED if policy == "skip" else State.FAILED
        record.update(refused_state(given, state, instance.offline))
        return False

    def _limits(self, job: JobPlan, values: Values) -> tuple[int, bool]:
        """How many at once; and fail-fast, which is GitHub's default for a matrix and off for hosts of a group."""
        source = job.strategy or job.for_each
        if source is None:
            return NO_LIMIT, False
        unset = source.max_parallel in (None, 0)  # 0: how the plan of a job's `for-each` says that there is no limit
        limit = NO_LIMIT if unset else values.count(source.max_parallel, "max-parallel")
        fail_fast = values.flag(source.fail_fast, "fail-fast")
        return limit, fail_fast and not _hosts_only(job)

    def _input(self, job: JobPlan, instance: Instance, notes: int) -> JobInput:
        names = {
            "matrix": instance.matrix,
            "item": instance.item,
            "index": instance.index,
            "strategy": {"job-index": instance.index or 0},
        }
        values = self.values(job, **names)
        waits = bool(instance.offline)
        target = job.target
        if waits and instance.agent is not None:
            target = msgspec.structs.replace(target, agent=instance.agent.id)
        point = self._given.resume.get(instance.name)
        contexts = {key: value for key, value in values.contexts.items() if key not in {"secrets", "env"}}
        return JobInput(
            run=self._info,
            job=msgspec.structs.replace(job, target=target),
            instance=instance.name,
            contexts=contexts,
            name=values.text(job.name, "name") or job.id,
            env={**self._env, **values.texts(job.env, "env")},
            secrets=self._given.secrets,
            agent=point.agent if point and point.agent else None if waits else instance.agent,
            host=instance.agent if waits else None,
            resume=point,
            retry_safe=self._given.retry_safe,
            target_all=self._given.target_all,
            history_events=self._given.history_events,
            calls=self._call(job, job.call, values, instance, notes) if job.call else None,
            workflows=self._given.workflows if starts_others(job) else Workflows(),
            within=within(self._given) if self._given.call or self._given.parent else [],
            notes=notes,
            lacking=self._lacking.get(job.id, []),
        )

    def _call(self, job: JobPlan, call: CallPlan, values: Values, instance: Instance, notes: int) -> RunInput:
        prefix = f"{job.id}/"
        below = {name.removeprefix(prefix): ids for name, ids in self._lacking.items() if name.startswith(prefix)}
        given = call_input(self._given, call, values, instance.name, notes)
        return msgspec.structs.replace(given, lacking=below) if below else given


def _hosts_only(job: JobPlan) -> bool:
    """Whether a strategy is there for its ``max-parallel`` alone: hosts of a group do not cancel each other."""
    strategy = job.strategy
    return strategy is not None and strategy.matrix is None and strategy.include is None and job.for_each is None
