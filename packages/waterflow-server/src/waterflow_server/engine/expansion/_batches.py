"""Batches of a rollout, the pure part: ranks, sizes, how many failures are borne. A plan shows them before the run.

- An entry of ``batches`` says how many of the group are done when the batch has ended: a count, or a percent of the
  group, rounded up. ``[1, 30%, 100%]`` on 10 hosts makes batches of 1, 2 and 7.
- Where the last entry leaves some out, more batches of the last one's size follow: ``batch: 5`` goes by fives.
- An entry that adds nobody (10% of five hosts, after 1) makes no batch.
- ``max-failures`` in percent is rounded down: 5% of 30 hosts bears one failure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from waterflow_sdk.wire import AgentState

from .._values import StepFailure
from ._expansion import Instance


def batch_sizes(entries: Sequence[int | str], hosts: int) -> list[int]:
    """Sizes of the batches; together they are the group. Without entries, everybody is one batch."""
    sizes: list[int] = []
    done = 0
    for entry in entries or (hosts,):
        size = min(_share(entry, hosts, math.ceil), hosts) - done
        if size > 0:
            sizes.append(size)
            done += size
    while done < hosts:
        size = min(sizes[-1] if sizes else 1, hosts - done)
        sizes.append(size)
        done += size
    return sizes


def borne(max_failures: int | str, hosts: int) -> int:
    """How many hosts of the group may fail."""
    return _share(max_failures, hosts, math.floor)


def _share(entry: int | str, hosts: int, rounded: Callable[[Fraction], int]) -> int:
    if isinstance(entry, int):
        return entry
    return rounded(Fraction(entry.removesuffix("%")) * hosts / 100)


def ranked(members: Sequence[AgentState], order: Sequence[str]) -> list[AgentState]:
    """Members in the order in which their turn comes: each entry ranks those that the ones before it leave equal.

    ``tag:<tag>`` and ``group:<group>`` put those that have it first, ``name`` goes by name, which also comes last
    in any case. Raises StepFailure for other words.
    """
    keys = [_rank(entry.strip()) for entry in order]
    return sorted(members, key=lambda member: (*(key(member) for key in keys), member.name, member.id))


def _rank(entry: str) -> Callable[[AgentState], Any]:
    kind, _, name = entry.partition(":")
    if entry == "name":
        return lambda member: member.name
    if kind == "tag" and name:
        return lambda member: name not in member.tags
    if kind == "group" and name:
        return lambda member: name not in member.groups
    message = f"rollout.order: must be `tag:<tag>`, `group:<group>` or `name`, not {entry!r}"
    raise StepFailure("invalid-value", message)


def by_host(instances: Sequence[Instance], members: Sequence[AgentState]) -> list[list[Instance]]:
    """The instances of each member, in the order of the members: a host has several where the job has a matrix."""
    hosts: dict[str, list[Instance]] = {member.id: [] for member in members}
    for instance in instances:
        if instance.agent is not None:
            hosts[instance.agent.id].append(instance)
    return list(hosts.values())


def cut(hosts: Sequence[list[Instance]], sizes: Sequence[int]) -> list[list[list[Instance]]]:
    """The hosts as batches of these sizes."""
    batches: list[list[list[Instance]]] = []
    begin = 0
    for size in sizes:
        batches.append(list(hosts[begin : begin + size]))
        begin += size
    return batches
