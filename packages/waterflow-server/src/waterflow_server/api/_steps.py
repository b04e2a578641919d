"""From the id of a step to its paths in a run."""

from __future__ import annotations

from collections.abc import Iterator

from waterflow_sdk.wire import RunState, StepState

from ._services import RunService


async def step_paths(runs: RunService, run_id: str, step: str) -> frozenset[str]:
    """Paths of the steps with that id; a path, or an id that no step has, stands for itself. Raises RunNotFound."""
    if "[" in step:
        return frozenset({step})
    found = {each.path for each in _steps(await runs.get(run_id, full=True)) if each.id == step}
    return frozenset(found or {step})


def _steps(run: RunState) -> Iterator[StepState]:
    pending = [step for job in run.jobs for step in job.steps]
    while pending:
        step = pending.pop()
        yield step
        pending += step.steps
