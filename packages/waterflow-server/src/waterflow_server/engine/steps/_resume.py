"""Going on where an earlier run stopped: what a job instance leaves for a retry, and how a retry takes it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import BranchPlan, NodePlan, ParallelPlan, StepPlan
from waterflow_sdk.wire import State, StepState

from .._plans import undoable
from .._progress import Progress
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
    return ResumePoint(
        steps=steps,
        contexts=contexts,
        env=job.env,
        vars=job.vars,
        paths=job.paths,
        agent=job.agent,
        blocks=_decisions(job.given.job.steps, records[: len(steps)]),
    )


def _decisions(nodes: Sequence[NodePlan], kept: Sequence[StepRecord]) -> dict[str, Progress]:
    """What was decided in the blocks in which something may have to be undone."""
    blocks = [record for node, record in zip(nodes, kept, strict=False) if undoable((node,))]
    everything = (each for block in blocks for each in (block, *_below(block)))
    return {each.path: each.progress for each in everything if each.branches and each.progress is not None}


def keep(node: NodePlan, record: StepRecord, kept: StepState, job: JobContext) -> None:
    """A step that an earlier run has done: its record, and the order in which what is in it succeeded."""
    _restore(record, kept)
    record.kept = True
    blocks = job.given.resume.blocks if job.given.resume else {}
    if record.branches and _arrange(node, record, blocks):
        leaves = [each for each in _below(record) if not each.branches and each.state is State.SUCCESS]
        for leaf in sorted(leaves, key=lambda each: each.ended or workflow.now()):
            leaf.order = job.next_order()
    elif isinstance(node, StepPlan) and kept.state is State.SUCCESS:
        record.order = job.next_order()


def _arrange(node: NodePlan, record: StepRecord, blocks: Mapping[str, Progress]) -> bool:
    """Give what is in a block the lists and decisions that it had; false where they are not known."""
    if not record.branches:
        return True
    decided, (flat,) = blocks.get(record.path), record.branches
    body = _body(node, decided)
    size = 1 if isinstance(node, ParallelPlan) else len(body)
    if decided is None or not size or len(flat) % size:
        return False
    if not all(_arrange(body[place % len(body)], child, blocks) for place, child in enumerate(flat)):
        return False
    record.branches, record.progress = [flat[at : at + size] for at in range(0, len(flat), size)], decided
    return True


def _body(node: NodePlan, decided: Progress | None) -> tuple[NodePlan, ...]:
    if isinstance(node, StepPlan):
        return (msgspec.structs.replace(node, for_each=None),)
    if isinstance(node, BranchPlan):
        return node.then if decided and decided.chosen == "then" else node.otherwise
    return node.steps


def take_up(node: NodePlan, record: StepRecord, job: JobContext, scope: Scope) -> None:
    """What a kept step means for those after it."""
    contexts = job.given.resume.contexts if job.given.resume else {}
    for step in (record, *_below(record)):
        if step.id in contexts:
            scope.steps[step.id] = contexts[step.id]
    if isinstance(node, StepPlan) and record.order:
        scope.complete(node, record)


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
