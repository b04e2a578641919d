"""How much a plan has to do: steps of a job, and the longest path through the jobs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

from waterflow_dsl.plan import BranchPlan, JobPlan, NodePlan, ParallelPlan, StepPlan


def all_steps(nodes: Sequence[NodePlan]) -> Iterator[StepPlan]:
    """Every step of a list, those in blocks too, as often as it is written; without rollbacks."""
    for node in nodes:
        if isinstance(node, StepPlan):
            yield node
        else:
            yield from all_steps(inner(node))


def inner(node: NodePlan) -> tuple[NodePlan, ...]:
    """What is in a block."""
    if isinstance(node, StepPlan):
        return ()
    return (*node.then, *node.otherwise) if isinstance(node, BranchPlan) else node.steps


def length(nodes: Sequence[NodePlan]) -> int:
    """Steps one after the other, at most: of parallel steps and of branches the longest counts, a loop once."""
    return sum(_length(node) for node in nodes)


def _length(node: NodePlan) -> int:
    if isinstance(node, StepPlan):
        return 1
    if isinstance(node, ParallelPlan):
        return max((_length(each) for each in node.steps), default=0)
    return max(length(node.then), length(node.otherwise)) if isinstance(node, BranchPlan) else length(node.steps)


def critical_path(jobs: Sequence[JobPlan], lengths: Mapping[str, int]) -> list[str]:
    """The jobs of the longest path, first to last; among equal ones the first in file order.

    ``lengths`` are steps one after the other by job; jobs that are not in it do not count and are not shown.
    """
    nothing: tuple[int, list[str]] = (0, [])
    best: dict[str, tuple[int, list[str]]] = {}
    needs = {job.id: job.needs for job in jobs}
    for name in TopologicalSorter(needs).static_order():
        before = max((best[need] for need in needs[name]), key=lambda each: each[0], default=nothing)
        own = lengths.get(name)
        best[name] = before if own is None else (before[0] + own, [*before[1], name])
    return max((best[job.id] for job in jobs), key=lambda each: each[0], default=nothing)[1]
