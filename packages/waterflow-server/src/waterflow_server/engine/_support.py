"""What this version of the interpreter cannot run yet. A plan that asks for it is refused at submit, never half-run."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_dsl import called_key
from waterflow_dsl.plan import JobPlan, Plan, UsesKind

from ._plans import all_steps
from .nodes._control import CONTROL_NODES_RUN


def unsupported(plan: Plan) -> list[tuple[int, str]]:
    """What the plan asks for that cannot be run, as (line, sentence)."""
    return [found for job in plan.jobs for found in _job(job)]


def _job(job: JobPlan) -> Iterator[tuple[int, str]]:
    if job.call is not None:
        yield from _call(job, str(job.call.workflow))
    for node in all_steps((*job.steps, *job.on_failure, *job.finally_)):
        if node.uses.kind is UsesKind.CONTROL and node.uses.name not in CONTROL_NODES_RUN:
            yield node.line, f"the control node {node.uses.name} is not available in this version"
        elif node.uses.kind not in (UsesKind.NODE, UsesKind.CONTROL, UsesKind.EXPRESSION):
            yield node.line, f"uses: {node.uses.name}: {node.uses.kind.value} steps are not available in this version"


def _call(job: JobPlan, uses: str) -> Iterator[tuple[int, str]]:
    if called_key("", uses) is None:
        yield (
            job.line,
            f"job {job.id}: uses: {uses}: must be a file (./release.yaml) or a stored workflow",
        )
    stray = {
        "env": job.env,
        "finally": job.finally_,
        "on-failure": job.on_failure,
        "outputs": job.outputs,
        "retry": job.retry,
    }
    for key in (key for key, value in stray.items() if value):
        yield job.line, f"job {job.id}: {key} has no meaning for a job that calls a workflow; write it in {uses}"
