"""Who the steps of a job run as, and with how much: what their own key says, else the job's, else the defaults'."""

from __future__ import annotations

from waterflow_dsl import model

Level = model.Step | model.Job | model.JobDefaults
"""What may say `run-as` and `resources`."""


def levels_of(job: model.Job, defaults: model.JobDefaults | None) -> tuple[Level, ...]:
    """What stands around the steps of a job, the nearest first."""
    return tuple(level for level in (job, job.defaults, defaults) if level is not None)


def run_as_of(step: model.Step, around: tuple[Level, ...]) -> tuple[str, Level]:
    """The user of a step, empty for the agent's own, and where that is written (the step itself where it is not)."""
    for level in (step, *around):
        if level.run_as is not None:
            return level.run_as, level
    return "", step


def memory_of(step: model.Step, around: tuple[Level, ...]) -> int | str | None:
    """The memory that each process of a step may have: the nearest that is written."""
    written = (level.resources.memory for level in (step, *around) if level.resources is not None)
    return next((memory for memory in written if memory is not None), None)
