"""Which agents a run needs secrets of: those that may get its jobs, as far as it is known before they start. Pure.

What only the run will know (a ``runs-on`` or a list of instances that depends on outputs) asks nobody, and a job asks
nobody if its condition is certain to be false. Agents that take no work now are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from waterflow_dsl import called_key
from waterflow_dsl.expressions import Unknown
from waterflow_dsl.plan import CallPlan, JobPlan, Plan, TargetPlan, UsesKind
from waterflow_dsl.reads import named
from waterflow_sdk.secrets import SecretReferenceInvalid, segments_in
from waterflow_sdk.wire import AgentRef, AgentState, AgentStatus

from .._inputs import convert_inputs
from ..engine._plans import all_steps
from ..engine._values import WHOLE_MAP, StepFailure
from ..engine._wire import RunInput
from ..engine.expansion import Instance, as_groups_say, combine, concrete_target, elements, host_of
from ..inquiry import Demand, Demands
from ._forecast import Forecast, NotKnown
from ._members import members_of
from ._outlook import Given, Outlook

MAX_DEMANDS = 1_000
"""Jobs that are looked at, those of called workflows as often as they are called."""

_REPEATED: dict[str, Any] = dict.fromkeys(("matrix", "strategy", "item", "index"), Unknown("the instance"))

Segments = Mapping[str, Sequence[str]]
"""What agents read of each secret, by its name in small letters."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """The run, or a workflow that it calls: what is known of what it gets. ``callers`` are the instances that call it,
    as they stand before the names of its own; only a retry asks for them.
    """

    key: str = ""
    plan: Plan
    given: Given
    secrets: Segments
    job: str = ""
    callers: tuple[str, ...] = ("",)


def demands_of(run: RunInput, plan: Plan, called: Mapping[str, Plan], agents: Sequence[AgentState]) -> Demands:
    """Who is to be asked before the run starts; ``called`` are the plans of its other workflows by key."""
    walk = _Walk(run, called, agents)
    given = Given(vars=run.vars, inputs=run.inputs, started_by=run.started_by, labels=run.labels, event=run.event)
    walk.visit(_Part(plan=plan, given=given, secrets=_segments(run.secrets)))
    return Demands(agents=[AgentRef(id=each.id, name=each.name) for each in walk.asked], demands=walk.demands)


class _Walk:
    """Goes through the run and what it calls. ``asked`` are the agents of the ``demands``, by their places in it."""

    def __init__(self, run: RunInput, called: Mapping[str, Plan], agents: Sequence[AgentState]) -> None:
        self.asked: list[AgentState] = []
        self.demands: list[Demand] = []
        self._run = run
        self._called = called
        self._agents = agents
        self._places: dict[str, int] = {}
        self._seen = 0

    def visit(self, part: _Part) -> None:
        """All jobs of the run or of a called workflow."""
        if not any(part.secrets.values()):
            return
        outlook = Outlook(part.plan, part.given)
        for job in part.plan.jobs:
            self._seen += 1
            if self._seen > MAX_DEMANDS:
                return
            if outlook.conditions[job.id].decision == "false":
                continue
            try:
                self._visit_job(part, job, outlook)
            except (NotKnown, StepFailure):
                continue  # the run will know it, or fail of it

    def _visit_job(self, part: _Part, job: JobPlan, outlook: Outlook) -> None:
        forecast = outlook.forecast(job)
        if job.call is not None:
            self._visit_called(part, job, job.call, outlook)
            return
        needed = _needed(part, job)
        if not needed or not _needs_agent(job):
            return
        target = as_groups_say(concrete_target(job, forecast), self._run.target_all)
        members = members_of(self._agents, target)
        every = target.all is True or target.agent is not None
        if not self._is_retry:
            self._demand(part, job, needed, members, every=every)
            return
        hosts = [host_of(member) for member in members] if target.all and target.agent is None else [(None, "")]
        left = self._left(part.callers, combine(job.id, elements(job, forecast), hosts))
        self._demand_again(part, job, needed, members, left, target)

    def _demand_again(
        self,
        part: _Part,
        job: JobPlan,
        needed: list[str],
        members: list[AgentState],
        left: list[tuple[str, Instance]],
        target: TargetPlan,
    ) -> None:
        """What a retry does not keep: each host that an instance is for or goes on at, and any for the others."""
        points = ((self._run.resume.get(name), instance.agent) for name, instance in left)
        hosts = [point.agent if point and point.agent else agent for point, agent in points]
        bound = {host.id for host in hosts if host is not None}
        self._demand(part, job, needed, [each for each in self._agents if each.id in bound], every=True)
        if any(host is None for host in hosts):
            self._demand(part, job, needed, members, every=target.agent is not None)

    def _visit_called(self, part: _Part, job: JobPlan, call: CallPlan, outlook: Outlook) -> None:
        key = called_key(part.key, str(call.workflow))
        if key is None or key not in self._called:
            return
        repeated = _REPEATED if job.strategy or job.for_each else {}
        below = self._called[key]
        callers: tuple[str, ...] = ()
        if self._is_retry:
            combined = combine(job.id, elements(job, outlook.forecast(job)), [(None, "")])
            callers = tuple(f"{name}/" for name, _ in self._left(part.callers, combined))
            if not callers:
                return
        inputs = _inputs(below, call, outlook.forecast(job, repeated))
        self.visit(
            _Part(
                key=key,
                plan=below,
                given=msgspec.structs.replace(part.given, inputs=inputs),
                secrets=_passed(call, part.secrets),
                job=f"{part.job}{job.id}/",
                callers=callers,
            )
        )

    @property
    def _is_retry(self) -> bool:
        return bool(self._run.kept or self._run.resume)

    def _left(self, callers: Sequence[str], instances: Sequence[Instance]) -> list[tuple[str, Instance]]:
        """The instances that a retry does not keep, with the names that they have in the whole run."""
        found = ((caller + instance.name, instance) for caller in callers for instance in instances)
        return [(name, instance) for name, instance in found if name not in self._run.kept]

    def _demand(
        self, part: _Part, job: JobPlan, needed: list[str], members: Sequence[AgentState], *, every: bool
    ) -> None:
        online = [member for member in members if member.status is AgentStatus.ONLINE]
        if online:
            places = [self._place(member) for member in online]
            self.demands.append(Demand(job=part.job + job.id, segments=needed, agents=places, every=every))

    def _place(self, member: AgentState) -> int:
        if member.id not in self._places:
            self._places[member.id] = len(self.asked)
            self.asked.append(member)
        return self._places[member.id]


def _segments(secrets: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in secrets.items():
        try:
            found[name.lower()] = segments_in(value)
        except SecretReferenceInvalid:
            continue  # given by somebody, and no segment of ours: the agent says so to whoever uses it
    return found


def _needed(part: _Part, job: JobPlan) -> list[str]:
    """The segments of all secrets that the job reads, and of those in the environment that every step gets."""
    found: dict[str, None] = {}
    for template in (job, part.plan.env):
        found |= dict.fromkeys(_of(template, part.secrets))
    return list(found)


def _of(template: object, secrets: Segments) -> Iterator[str]:
    """The segments of the secrets that a template reads; of all where it reads them as a whole."""
    names = named(template, "secrets")
    for name in sorted(secrets if names is None else {each.lower() for each in names}):
        yield from secrets.get(name, ())


def _passed(call: CallPlan, secrets: Segments) -> Segments:
    """What a called workflow gets of its caller's secrets, under names of its own."""
    if call.inherit_secrets:
        return secrets
    return {name.lower(): list(_of(template, secrets)) for name, template in call.secrets.items()}


def _inputs(plan: Plan, call: CallPlan, forecast: Forecast) -> dict[str, Any]:
    """What a called workflow gets, as it declares it; :class:`Unknown` for what only the run will know."""
    if WHOLE_MAP in call.inputs:
        return {name: Unknown("what it is called with") for name in plan.inputs}
    names = {name.lower(): name for name in plan.inputs}
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, template in call.inputs.items():
        own = names.get(name.lower(), name)
        try:
            known[own] = forecast.resolve(template, f"with.{name}")
        except NotKnown as reason:
            unknown[own] = Unknown(str(reason))
    declared = {name: each for name, each in plan.inputs.items() if name not in unknown}
    return {**convert_inputs(declared, known)[0], **unknown}


def _needs_agent(job: JobPlan) -> bool:
    steps = all_steps((*job.steps, *job.on_failure, *job.finally_))
    return any(step.uses.kind is not UsesKind.CONTROL for step in steps)
