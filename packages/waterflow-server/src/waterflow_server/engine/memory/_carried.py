"""Steps on their way from one run of a job's workflow to the next, and what is left behind when they are too large."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import ApprovalState, AttemptState, State, StepState

from .._json import is_list, is_mapping
from .._wire import JobInput, JobMemory, StepMemory
from ._records import AttemptRecord, StepRecord

BUDGET = 1_500_000
"""Bytes that an input may take by our estimate; Temporal ends a workflow that wants more than 2 MB."""

COMPRESSION = 5
"""How much smaller the codec makes what is much alike, such as states of steps; outputs may not shrink at all."""

_STEPS = re.compile(r"\bsteps\b(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\[\s*'([^']*)'\s*\])?", re.IGNORECASE)

AttemptsOf = Callable[[str], list[AttemptRecord]]


def remember(record: StepRecord) -> StepMemory:
    """A record with all that is in it."""
    return StepMemory(
        step=record.snapshot(deep=False),
        branches=remember_lists(record.branches),
        progress=record.progress,
        broke=record.broke,
        order=record.order,
        kept=record.kept,
    )


def remember_lists(lists: Iterable[Sequence[StepRecord]]) -> list[list[StepMemory]]:
    """Lists of steps, without those at their ends that have not begun: the plan has them."""
    return [[remember(record) for record in records[: _begun(records)]] for records in lists]


def _begun(records: Sequence[StepRecord]) -> int:
    count = len(records)
    while count and records[count - 1].state is State.PENDING:
        count -= 1
    return count


def recall(memory: StepMemory, attempts_of: AttemptsOf) -> StepRecord:
    """The record again. Its attempts are in the list that the job has for its path."""
    step = memory.step
    record = StepRecord(path=step.path, id=step.id, name=step.name, node=step.node, attempts=attempts_of(step.path))
    restore(record, step)
    record.branches = [[recall(child, attempts_of) for child in branch] for branch in memory.branches]
    record.progress = memory.progress
    record.broke, record.order, record.kept = memory.broke, memory.order, memory.kept
    return record


def restore(record: StepRecord, step: StepState) -> None:
    """Fill a record with what it was, without what is in it."""
    record.state, record.conclusion, record.reason = step.state, step.conclusion, step.reason
    record.started, record.ended, record.error = step.started, step.ended, step.error
    record.outputs = step.outputs
    record.waits[:] = step.waits
    record.approval = step.approval
    if not record.attempts:
        record.attempts[:] = recall_attempts(step.attempts)


def unanswered(memory: JobMemory) -> Iterator[ApprovalState]:
    """The approvals that wait: they may be answered before the new run of the workflow has got to them."""
    if memory.started is None and memory.approval and memory.approval.answer is None:
        yield memory.approval
    for steps in memory.lists:
        yield from _unanswered(steps)


def _unanswered(steps: Iterable[StepMemory]) -> Iterator[ApprovalState]:
    for each in steps:
        if each.step.approval and each.step.approval.answer is None and not each.step.state.ended:
            yield each.step.approval
        for branch in each.branches:
            yield from _unanswered(branch)


def recall_attempts(attempts: Iterable[AttemptState]) -> list[AttemptRecord]:
    """Attempts as they were."""
    return [
        AttemptRecord(
            number=each.number,
            agent=each.agent,
            state=each.state,
            reason=each.reason,
            started=each.started,
            ended=each.ended,
            exit_code=each.exit_code,
            error=each.error,
            log=each.log,
            lost=each.lost,
        )
        for each in attempts
    ]


def fitting(given: JobInput) -> JobInput | None:
    """The input of the next run, without what it can do without where it is too large; None when it is still too large.

    Outputs that no expression of the job asks for go first, then what is known of the attempts of steps that succeeded.
    """
    if estimate(given) <= BUDGET:
        return given
    for lighter in (_without_outputs(used_steps(given.job)), _without_attempts):
        given = _each_step(given, lighter)
        if estimate(given) <= BUDGET:
            return given
    return None


def estimate(given: JobInput) -> int:
    """Bytes that the input takes at most when it is sealed; the same on every machine, as a replay wants it."""
    memory = given.memory
    steps = list(_all(memory.lists)) if memory else []
    dense = sum(_size(each.step.outputs) for each in steps if each.step.outputs)
    dense += sum(_size(each.progress) for each in steps if each.progress)
    return dense + (_size(given) - dense) // COMPRESSION


def used_steps(job: JobPlan) -> frozenset[str] | None:
    """Ids that the job's expressions name as ``steps.<id>`` or ``steps['<id>']``; None = any may be meant."""
    found = [one or other for one, other in _STEPS.findall(_expressions(job))]
    return None if "" in found else frozenset(each.casefold() for each in found)


def _expressions(job: JobPlan) -> str:
    """Everything in the plan in which an expression may be."""
    return "\n".join(_texts(msgspec.json.decode(msgspec.json.encode(job))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_mapping(value):
        for key, each in value.items():
            if key != "path":  # which says `steps[2]`
                yield from _texts(each)
    elif is_list(value):
        for each in value:
            yield from _texts(each)


Lighter = Callable[[StepMemory, StepMemory | None], StepMemory]
"""Takes a step and the one around it, and gives the step with less."""


def _without_outputs(used: frozenset[str] | None) -> Lighter:
    def lighter(memory: StepMemory, around: StepMemory | None) -> StepMemory:
        step = memory.step
        lasting = around is not None and step.id is None and not around.step.state.ended  # may become its outputs
        if used is None or lasting or not step.outputs or (step.id or "").casefold() in used:
            return memory
        return msgspec.structs.replace(memory, step=msgspec.structs.replace(step, outputs={}))

    return lighter


def _without_attempts(memory: StepMemory, _around: StepMemory | None) -> StepMemory:
    step = memory.step
    if step.state is not State.SUCCESS:
        return memory
    attempts = [AttemptState(number=each.number, state=each.state) for each in step.attempts]
    return msgspec.structs.replace(memory, step=msgspec.structs.replace(step, attempts=attempts))


def _each_step(given: JobInput, lighter: Lighter) -> JobInput:
    memory = given.memory
    if memory is None:
        return given
    lists = [[_deep(each, None, lighter) for each in steps] for steps in memory.lists]
    return msgspec.structs.replace(given, memory=msgspec.structs.replace(memory, lists=lists))


def _deep(memory: StepMemory, around: StepMemory | None, lighter: Lighter) -> StepMemory:
    branches = [[_deep(each, memory, lighter) for each in branch] for branch in memory.branches]
    return msgspec.structs.replace(lighter(memory, around), branches=branches)


def _all(lists: Iterable[Iterable[StepMemory]]) -> Iterator[StepMemory]:
    for steps in lists:
        for each in steps:
            yield each
            yield from _all(each.branches)


def attempts_elsewhere(attempts: dict[str, list[AttemptRecord]], memory: JobMemory) -> dict[str, list[AttemptState]]:
    """Attempts of earlier turns whose steps have no record now."""
    here = {each.step.path for each in _all(memory.lists)}
    return {path: [each.snapshot() for each in found] for path, found in attempts.items() if found and path not in here}


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))
