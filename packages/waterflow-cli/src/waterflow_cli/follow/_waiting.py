"""What a run waits for that people decide, and the command that lets it go on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from waterflow_sdk.wire import JobState, RunState, State, StepState

from .._console import clean

_SHOWN = 5
_APPROVAL = "approval: "
_EVENT = "event "


def waits(run: RunState, options: str = "") -> list[str]:
    """A line for the pause and for each job instance that waits; none while the run works.

    ``options`` (each after a space) are those that the commands need to reach the same server. Where several approvals
    wait, the commands name the step if the state has steps, as a full one does.
    """
    lines: list[str] = []
    if run.state is State.PAUSED:
        reason = "" if run.reason == State.PAUSED.value else run.reason  # what the server says where none was given
        why = f": {reason}" if reason else ""
        lines.append(f"run {run.id} is paused{why} (`waterflow resume {run.id}{options}`)")
    waiting = [job for job in run.jobs if job.state is State.WAITING]
    several = sum(job.reason.startswith(_APPROVAL) for job in waiting) > 1
    for job in waiting[:_SHOWN]:
        step = _step_option(job) if several else ""
        lines.append(f"{job.instance} waits for {job.reason}{_how(job, run.id, step + options)}")
    if len(waiting) > _SHOWN:
        lines.append(f"and {len(waiting) - _SHOWN} more")
    if several and not any(job.steps for job in waiting):
        lines.append(f"several approvals wait: --step says which one, `waterflow status {run.id}{options}` their names")
    return [clean(" ".join(line.split()), colour=False) for line in lines]


def _step_option(job: JobState) -> str:
    path = next(_waiting(job.steps), None)
    return "" if path is None else f" --step {shlex.quote(f'{job.instance}/{path}')}"


def _waiting(steps: Sequence[StepState]) -> Iterator[str]:
    """The paths of the approvals that wait."""
    for step in steps:
        if step.state is State.WAITING and step.node == "approval":
            yield step.path
        yield from _waiting(step.steps)


def _how(job: JobState, run: str, options: str) -> str:
    """The command that ends the wait, told by the reason: a summary has no steps that would name their node."""
    if job.reason.startswith(_APPROVAL):
        return f" (`waterflow approve {run}{options}`, or `reject`)"
    if job.reason.startswith(_EVENT):
        name = shlex.quote(job.reason.removeprefix(_EVENT))
        return f" (`waterflow event {run} {name}{options}`)"
    return ""
