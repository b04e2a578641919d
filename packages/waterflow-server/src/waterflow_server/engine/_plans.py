"""Walking through a plan."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl.plan import LoopPlan, NodePlan, ParallelPlan, StepPlan, WhilePlan


def all_steps(nodes: tuple[NodePlan, ...]) -> Iterator[StepPlan]:
    """Every step of a list, whatever it is nested in, with those that would undo it."""
    for node in nodes:
        if isinstance(node, StepPlan):
            yield node
            yield from all_steps(node.rollback)
        elif isinstance(node, (ParallelPlan, LoopPlan, WhilePlan)):
            yield from all_steps(node.steps)
        else:
            yield from all_steps((*node.then, *node.otherwise))


def undoable(nodes: tuple[NodePlan, ...]) -> bool:
    """Whether any of these steps, or of what is in them, has a rollback."""
    return any(step.rollback for step in all_steps(nodes))
