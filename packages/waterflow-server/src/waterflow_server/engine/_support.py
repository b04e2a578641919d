"""What this version of the interpreter cannot run yet. A plan that asks for it is refused at submit, never half-run."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl.plan import JobPlan, LoopPlan, NodePlan, ParallelPlan, Plan, StepPlan, UsesKind, WhilePlan

from ._control import CONTROL_NODES_RUN


def unsupported(plan: Plan) -> list[tuple[int, str]]:
    """What the plan asks for that cannot be run, as (line, sentence)."""
    return [found for job in plan.jobs for found in _job(job)]


def _job(job: JobPlan) -> Iterator[tuple[int, str]]:
    asked = {
        "rollout": job.rollout is not None,
        "environment": job.environment is not None,
        "a reusable workflow (uses)": job.call is not None,
    }
    for what, wanted in asked.items():
        if wanted:
            yield job.line, f"job {job.id}: {what} is not available in this version"
    for node in _steps((*job.steps, *job.on_failure, *job.finally_)):
        if node.uses.kind is UsesKind.CONTROL and node.uses.name not in CONTROL_NODES_RUN:
            yield node.line, f"the control node {node.uses.name} is not available in this version"
        elif node.uses.kind not in (UsesKind.NODE, UsesKind.CONTROL, UsesKind.EXPRESSION):
            yield node.line, f"uses: {node.uses.name}: {node.uses.kind.value} steps are not available in this version"


def _steps(nodes: tuple[NodePlan, ...]) -> Iterator[StepPlan]:
    for node in nodes:
        if isinstance(node, StepPlan):
            yield node
            yield from _steps(node.rollback)
        elif isinstance(node, (ParallelPlan, LoopPlan, WhilePlan)):
            yield from _steps(node.steps)
        else:
            yield from _steps((*node.then, *node.otherwise))
