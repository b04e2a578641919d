"""Going on where an earlier run stopped: what a job instance leaves for a retry, and how a retry takes it up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from waterflow_dsl.plan import NodePlan, StepPlan
from waterflow_sdk.wire import AttemptState, State, StepState

from ._job_context import JobContext, Scope
from ._records import AttemptRecord, StepRecord
from ._wire import ResumePoint

_DONE = frozenset({State.SUCCESS, State.SKIPPED})


def resume_point(job: JobContext, scope: Scope, records: Sequence[StepRecord]) -> ResumePoint:
    """Where this instance could go on."""
    steps: list[StepState] = []
    for record in records:
        if record.conclusion not in _DONE:
            break
        steps.append(record.snapshot())
    ids = {step.id for step in _all(steps) if step.id}
    contexts = {name: context for name, context in scope.steps.items() if name in ids}
    return ResumePoint(steps=steps, contexts=contexts, env=job.env, vars=job.vars, paths=job.paths, agent=job.agent)


def keep(node: NodePlan, record: StepRecord, kept: StepState, scope: Scope, contexts: dict[str, object]) -> None:
    """A step that an earlier run has done: its record, its outputs, and its rollback should the job still fail."""
    restore(record, kept)
    for step in _all([kept]):
        if step.id in contexts:
            scope.steps[step.id] = contexts[step.id]
    if isinstance(node, StepPlan) and kept.state is State.SUCCESS:
        scope.completed.append((node, record))


def restore(record: StepRecord, kept: StepState) -> None:
    """Fill a record with what it was."""
    record.state, record.conclusion, record.reason = kept.state, kept.conclusion, kept.reason
    record.started, record.ended, record.error = kept.started, kept.ended, kept.error
    record.outputs = kept.outputs
    record.attempts[:] = [_attempt(attempt) for attempt in kept.attempts]
    record.children[:] = [_child(child) for child in kept.steps]
    record.waits[:] = kept.waits


def _child(kept: StepState) -> StepRecord:
    record = StepRecord(path=kept.path, id=kept.id, name=kept.name, node=kept.node)
    restore(record, kept)
    return record


def _attempt(kept: AttemptState) -> AttemptRecord:
    return AttemptRecord(
        number=kept.number,
        agent=kept.agent,
        state=kept.state,
        reason=kept.reason,
        started=kept.started,
        ended=kept.ended,
        exit_code=kept.exit_code,
        error=kept.error,
        log=kept.log,
        lost=kept.lost,
    )


def _all(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _all(step.steps)
