"""What follows the steps of a job: rollback in reverse, ``on-failure``, ``finally``. None hides the first error."""

from __future__ import annotations

from waterflow_dsl.plan import JobPlan, NodePlan

from ._job_context import Scope
from ._records import StepRecord
from ._steps import StepRunner


async def run_endings(runner: StepRunner, job: JobPlan, main: Scope, records: list[StepRecord]) -> bool:
    """Run what is due after the main steps; true when an ending itself failed."""
    stopped = runner.job.stop.cancelled
    trouble = False
    if main.failed or stopped:
        trouble = await _roll_back(runner, main, records)
    if main.failed and job.on_failure:
        trouble = await _run(runner, main, job.on_failure, records) or trouble
    if job.finally_:
        trouble = await _run(runner, main, job.finally_, records) or trouble
    return trouble


async def _roll_back(runner: StepRunner, main: Scope, records: list[StepRecord]) -> bool:
    trouble = False
    for step, record in reversed(main.completed):
        if step.rollback:
            moved = (step.path, record.path)  # into the iteration that is undone
            trouble = await _run(runner, main, step.rollback, records, prefix=moved) or trouble
    return trouble


async def _run(
    runner: StepRunner,
    main: Scope,
    nodes: tuple[NodePlan, ...],
    records: list[StepRecord],
    *,
    prefix: tuple[str, str] = ("", ""),
) -> bool:
    """A list of steps with a fresh view of failure: ``success()`` asks about these steps, not about the job's."""
    scope = Scope(steps=main.steps, names=main.names)
    with runner.job.stop.set_aside():
        await runner.run_list(nodes, scope, records, prefix=prefix)
    return scope.failed
