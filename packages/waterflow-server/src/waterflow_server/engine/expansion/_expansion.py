"""From a job to its instances, the pure part: matrix or item, times target host. A plan shows them before the run."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from waterflow_dsl import target_of
from waterflow_dsl.expressions import to_string
from waterflow_dsl.plan import JobPlan, TargetPlan
from waterflow_sdk.wire import AgentRef, AgentState, AgentStatus

from ...presence import ALL_SERVERS
from .._json import is_list
from .._values import StepFailure, Values
from ._matrix import expand_matrix

MAX_INSTANCES = 10_000
"""Instances of one job: a run of more would not answer while it makes them."""

Element = dict[str, Any]
"""``matrix`` or ``item``, and ``index``; empty for a job without a strategy."""

Host = tuple[AgentRef | None, str]
"""An agent, None where it is claimed when the instance starts; and why it cannot take the instance now."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a job. ``offline`` says why its host cannot take it now."""

    name: str
    matrix: dict[str, Any] | None = None
    item: Any = None
    index: int | None = None
    agent: AgentRef | None = None
    offline: str = ""


def concrete_target(job: JobPlan, values: Values) -> TargetPlan:
    """The job's target with every expression in it resolved."""
    target = job.target
    if target.dynamic is not None:
        target = _dynamic_target(values.resolve(target.dynamic, "runs-on"))
    resolved = msgspec.structs.replace(
        target,
        groups=tuple(values.text(group, "runs-on.group") for group in target.groups),
        tags=tuple(values.text(tag, "runs-on.tags") for tag in target.tags),
        agent=None if target.agent is None else values.text(target.agent, "runs-on.agent"),
    )
    if ALL_SERVERS in resolved.groups:
        return msgspec.structs.replace(resolved, groups=(), all=True if resolved.all is None else resolved.all)
    return resolved


def as_groups_say(target: TargetPlan, target_all: Collection[str]) -> TargetPlan:
    """Where the job does not say how many members it wants, its groups do: all, if that is what each of them says."""
    if target.all is None and target.agent is None and target.groups and set(target.groups) <= set(target_all):
        return msgspec.structs.replace(target, all=True)
    return target


def _dynamic_target(value: Any) -> TargetPlan:
    try:
        return target_of(value)
    except ValueError as error:
        raise StepFailure("invalid-value", f"runs-on: {error}") from error


def elements(job: JobPlan, values: Values) -> list[Element]:
    """What the job is repeated for: the elements of its list, or the combinations of its matrix."""
    if job.for_each is not None:
        items = values.resolve(job.for_each.items, "for-each")
        if not is_list(items):
            raise StepFailure("invalid-value", f"for-each: must be a list, not {type(items).__name__}")
        return [{"item": item, "index": index} for index, item in enumerate(items)]
    strategy = job.strategy
    if strategy is None or (strategy.matrix is None and strategy.include is None):  # it may just say `max-parallel`
        return [{}]
    combinations = expand_matrix(
        values.resolve(strategy.matrix, "strategy.matrix"),
        values.resolve(strategy.include, "strategy.include"),
        values.resolve(strategy.exclude, "strategy.exclude"),
        strategy.max_instances,
    )
    return [{"matrix": combination, "index": index} for index, combination in enumerate(combinations)]


def too_many(job: JobPlan, elements: int, hosts: int) -> StepFailure | None:
    """Why the job has more instances than a run bears; None when it has not."""
    count = elements * max(hosts, 1)
    if count <= MAX_INSTANCES:
        return None
    field = "for-each" if job.for_each is not None else "strategy.matrix"
    where = f" on {hosts:,} hosts" if hosts else ""
    message = f"{field}: {elements:,} elements{where} make {count:,} job instances; {MAX_INSTANCES:,} are allowed"
    return StepFailure("too-many-instances", message)


def combine(job_id: str, elements: Sequence[Element], hosts: Sequence[Host]) -> list[Instance]:
    """Every instance of a job, in stable order, with names that are unique in the run."""
    pairs = ((element, host) for element in elements for host in hosts)
    return _unique([_instance(job_id, element, host, number) for number, (element, host) in enumerate(pairs)])


def host_of(member: AgentState) -> Host:
    """A member of a group as a host."""
    return AgentRef(id=member.id, name=member.name), _offline(member)


def _offline(member: AgentState) -> str:
    if member.status is AgentStatus.ONLINE:
        return ""
    return f"agent {member.name} is {member.status.value}" + (f": {member.reason}" if member.reason else "")


def _instance(job_id: str, element: Element, host: Host, number: int) -> Instance:
    agent, offline = host
    matrix: dict[str, Any] = element.get("matrix") or {}
    parts = [label(value) for value in matrix.values()]
    if "item" in element:
        parts.append(label(element["item"]))
    if agent is not None:
        parts.append(label(agent.name))
    name = f"{job_id}[{','.join(parts)}]" if parts else job_id
    return Instance(
        name=name,
        matrix=element.get("matrix"),
        item=element.get("item"),
        index=element.get("index", number if agent else None),
        agent=agent,
        offline=offline,
    )


def label(value: Any) -> str:
    """How a value is written in the name of an instance."""
    text = to_string(value) if not isinstance(value, (dict, list)) else ""
    return _UNSAFE.sub("-", text)[:40].strip("-")


def _unique(instances: list[Instance]) -> list[Instance]:
    """Names that sanitizing made equal (or empty) get their number."""
    count: dict[str, int] = {}
    for instance in instances:
        count[instance.name] = count.get(instance.name, 0) + 1
    return [
        instance
        if count[instance.name] == 1 and not instance.name.endswith("[]")
        else msgspec.structs.replace(instance, name=f"{instance.name.removesuffix(']')}#{number}]")
        for number, instance in enumerate(instances)
    ]
