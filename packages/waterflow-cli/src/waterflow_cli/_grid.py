"""A job on several hosts as a grid: a row for each host, a column for each of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from waterflow_sdk.wire import JobState, RolloutState, RunState, State, StepState

from ._format import between, colour, error_text, mark
from ._output import Cell

_NAME = 18
"""Characters of a step's name above its column."""


def hosts_of(state: RunState) -> dict[str, list[JobState]]:
    """The jobs that run on several hosts: id to instances, without what stands between batches."""
    found: dict[str, list[JobState]] = {}
    for job in state.jobs:
        if job.agent is not None and not job.gate and f"{job.agent.name}]" in job.instance:
            found.setdefault(job.id, []).append(job)
    return {id: jobs for id, jobs in found.items() if len(jobs) > 1}


def grid(jobs: Sequence[JobState]) -> tuple[list[str], list[list[Cell]]]:
    """Headers and rows: host, batch where there are batches, state, each step with its time, why it failed."""
    batched = any(job.batch for job in jobs)
    steps = _columns(jobs)
    headers = ["HOST", *(["BATCH"] if batched else []), "STATE", *(_short(name) for name in steps.values()), "ERROR"]
    return headers, [_row(job, list(steps), batched) for job in jobs]


def rollout_lines(rollout: RolloutState) -> Iterator[str]:
    """How a rollout stands, in a line, and its batches in another."""
    limit = f"{rollout.failed} of {rollout.hosts} hosts failed, {rollout.max_failures} may"
    reason = f": {rollout.reason}" if rollout.reason else ""
    yield f"rollout of {rollout.job}: {rollout.state.value}, {limit}{reason}"
    yield "  ".join(f"{mark(batch.state)} batch {batch.number} ({batch.hosts})" for batch in rollout.batches)


def _columns(jobs: Sequence[JobState]) -> dict[str, str]:
    """Paths and names of the steps, in the order of the job that has the most."""
    longest = max(jobs, key=lambda job: len(job.steps))
    columns = {step.path: step.name or step.path for step in longest.steps}
    for job in jobs:  # a host may have run an ending that the others did not
        columns |= {step.path: step.name or step.path for step in job.steps if step.path not in columns}
    return columns


def _row(job: JobState, steps: Sequence[str], batched: bool) -> list[Cell]:
    known = {step.path: step for step in job.steps}
    host = job.agent.name if job.agent else ""
    parts = job.instance.partition("[")[2].removesuffix("]").rpartition(",")[0]
    return [
        (f"{host} ({parts})" if parts else host, "bold"),
        *([str(job.batch or "")] if batched else []),
        (f"{mark(job.state)} {job.state.value}", colour(job.state)),
        *(_cell(known.get(path)) for path in steps),
        error_text(job.error, job.reason) or (f"kept from {job.kept_from}" if job.kept_from else ""),
    ]


def _cell(step: StepState | None) -> Cell:
    if step is None:
        return ""
    took = "" if step.state is State.SKIPPED else between(step.started, step.ended)
    return f"{mark(step.state)} {took}".rstrip(), colour(step.state)


def _short(name: str) -> str:
    first = name.split("\n")[0]
    return first if len(first) <= _NAME else first[: _NAME - 1] + "…"
