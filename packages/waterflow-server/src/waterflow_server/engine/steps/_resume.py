"""Going on where an earlier run stopped: what a job instance leaves for a retry, and how a retry takes it up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from waterflow_dsl.plan import NodePlan, StepPlan
from waterflow_sdk.wire import State, StepState

from .._wire import ResumePoint
from ..memory._carried import restore
from ..memory._records import StepRecord
from ._context import JobContext, Scope

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


def keep(node: NodePlan, record: StepRecord, kept: StepState, job: JobContext, scope: Scope) -> None:
    """A step that an earlier run has done: its record, its outputs, and its rollback should the job still fail."""
    _restore(record, kept)
    record.kept = True
    if isinstance(node, StepPlan) and kept.state is State.SUCCESS:
        record.order = job.next_order()
    take_up(node, record, job, scope)


def take_up(node: NodePlan, record: StepRecord, job: JobContext, scope: Scope) -> None:
    """What a kept step means for those after it."""
    contexts = job.given.resume.contexts if job.given.resume else {}
    for step in (record, *_below(record)):
        if step.id in contexts:
            scope.steps[step.id] = contexts[step.id]
    if isinstance(node, StepPlan) and record.order:
        scope.completed.append((node, record))


def _restore(record: StepRecord, kept: StepState) -> None:
    restore(record, kept)
    record.branches = [[_child(child) for child in kept.steps]] if kept.steps else []


def _child(kept: StepState) -> StepRecord:
    record = StepRecord(path=kept.path, id=kept.id, name=kept.name, node=kept.node)
    _restore(record, kept)
    return record


def _below(record: StepRecord) -> Iterator[StepRecord]:
    for child in record.children():
        yield child
        yield from _below(child)


def _all(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _all(step.steps)
