"""Blocks run inside the job workflow: ``if/then/else``, ``parallel``, ``for-each``, ``while``.

What a block decides when it begins is in its record's ``progress``. So the same code runs a block, goes on with one
that a roll-over interrupted, and passes through one that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import BranchPlan, ForEachPlan, LoopPlan, NodePlan, ParallelPlan, StepPlan, WhilePlan
from waterflow_sdk.wire import State

from .._json import is_list
from .._plans import undoable
from .._progress import Progress
from .._values import StepFailure, Values
from ..memory._records import StepRecord
from ._at_once import Branch, at_once
from ._context import JobContext, Scope

MAX_ITEMS = 10_000
"""Iterations of a `for-each`: each is remembered with its steps, and a job remembers 2 MB."""

MAX_AT_ONCE = 200
"""Branches of a block that run side by side at most: a message of Temporal has 4 MB, a workflow 2,000 activities."""

_PATCH_STOPPED = "2026-11-stop-ends-loops"
_PATCH_ITEMS = "2026-11-most-items"
_PATCH_AT_ONCE = "2026-11-most-at-once"

Block = ParallelPlan | BranchPlan | LoopPlan | WhilePlan


class Runner(Protocol):
    """What a block needs of whoever runs lists of steps."""

    job: JobContext

    async def run_list(
        self, nodes: Sequence[NodePlan], scope: Scope, records: list[StepRecord], *, prefix: tuple[str, str] = ("", "")
    ) -> None:
        """Run steps in order."""
        ...

    def begins(self, condition: str, record: StepRecord, values: Values) -> bool:
        """Whether the block runs at all."""
        ...


async def run_block(runner: Runner, block: Block, record: StepRecord, scope: Scope) -> None:
    """Run a block to its end; its state follows from what is in it."""
    values = runner.job.values(scope)
    condition = "success()" if isinstance(block, BranchPlan) else block.condition
    if not runner.begins(condition, record, values):
        return
    await _inside(runner, block, record, scope, values)
    _end(runner, record, scope)


async def pass_through(runner: Runner, node: NodePlan, record: StepRecord, scope: Scope) -> None:
    """A block that ended before a roll-over: what was in it lets those after it know, nothing of it runs."""
    values = runner.job.values(scope)
    if isinstance(node, StepPlan):
        await _repeat(runner, node, record, scope, values)
    else:
        await _inside(runner, node, record, scope, values)


async def _inside(runner: Runner, block: Block, record: StepRecord, scope: Scope, values: Values) -> None:
    if isinstance(block, BranchPlan):
        await _branch(runner, block, record, scope, values)
    elif isinstance(block, ParallelPlan):
        await _parallel(runner, block, record, scope, values)
    elif isinstance(block, LoopPlan):
        await _loop(runner, block, record, scope, values)
    else:
        await _while(runner, block, record, scope)


def _end(runner: Runner, record: StepRecord, scope: Scope) -> None:
    stop = runner.job.stop
    failed = next((child for child in record.children() if child.conclusion in (State.FAILED, State.TIMED_OUT)), None)
    if failed is not None:
        record.end(State.FAILED, workflow.now(), reason=f"{failed.path} {failed.state.value}")
        scope.fail(record)
    elif stop.state is not None:
        record.end(stop.state, workflow.now(), reason=stop.reason)
    else:
        record.end(State.SUCCESS, workflow.now())


async def _branch(runner: Runner, block: BranchPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    if record.progress is None:
        record.progress = Progress(chosen="then" if values.condition(block.test) else "else")
        record.reason = record.progress.chosen
        record.branches.append([])
    chosen = block.then if record.progress.chosen == "then" else block.otherwise
    await runner.run_list(chosen, scope, record.branches[0], prefix=(block.path, record.path))


async def _parallel(runner: Runner, block: ParallelPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    count = len(block.steps)
    if record.progress is None:
        limit = count if block.max_parallel is None else values.count(block.max_parallel, "max-parallel")
        record.progress = Progress(limit=_bearable(limit, count), fail_fast=values.flag(block.fail_fast, "fail-fast"))
    inner = [scope.nested() for _ in block.steps]

    async def branch(number: int) -> bool:
        nodes = (block.steps[number],)
        await runner.run_list(nodes, inner[number], _begin(record, number), prefix=(block.path, record.path))
        return not inner[number].failed

    await _concurrently(runner, record, count, branch)
    for nested in inner:
        scope.steps.update({key: value for key, value in nested.steps.items() if value is not scope.steps.get(key)})


def _bearable(limit: int, count: int) -> int:
    """As many at once as are wanted, and as a workflow bears."""
    return MAX_AT_ONCE if min(limit, count) > MAX_AT_ONCE and workflow.patched(_PATCH_AT_ONCE) else limit


def _begin(record: StepRecord, number: int) -> list[StepRecord]:
    """The list of a branch or iteration; they begin in order."""
    if number == len(record.branches):
        record.branches.append([])
    return record.branches[number]


async def _concurrently(runner: Runner, record: StepRecord, count: int, branch: Branch) -> None:
    """Run the branches as was decided; of a block that has ended those that had begun, one after the other."""
    decided = record.progress or Progress()
    if record.state.ended:
        decided, count = Progress(limit=1), len(record.branches)
    begun = len(record.branches)

    def more() -> bool:
        stopped = decided.items is not None and runner.job.stop.cancelled and not record.state.ended
        return not (stopped and workflow.patched(_PATCH_STOPPED))

    await at_once(
        runner.job.roll, count, branch, lambda number: number < begun, more, decided.limit, fail_fast=decided.fail_fast
    )


async def _loop(runner: Runner, block: LoopPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    ids = [node.id for node in block.steps if node.id]
    await _iterate(runner, block.each, block.steps, ids, record, scope, values, block.path)


async def run_step_for_each(runner: Runner, step: StepPlan, record: StepRecord, scope: Scope) -> None:
    """``for-each`` on a step: the step repeats; afterwards ``steps.<id>.outputs`` are the last one's."""
    await _repeat(runner, step, record, scope, runner.job.values(scope))
    if record.branches:
        record.outputs = record.branches[-1][-1].outputs
    _end(runner, record, scope)


async def _repeat(runner: Runner, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    assert step.for_each is not None
    single = msgspec.structs.replace(step, for_each=None, id=None)
    await _iterate(runner, step.for_each, (single,), [], record, scope, values, step.path)


def _decided(each: ForEachPlan, body: tuple[NodePlan, ...], values: Values) -> Progress:
    items = values.resolve(each.items, "for-each")
    if not is_list(items):
        raise StepFailure("invalid-value", f"for-each: must be a list, not {type(items).__name__}")
    if len(items) > MAX_ITEMS and workflow.patched(_PATCH_ITEMS):
        raise StepFailure("too-many-items", f"for-each: {len(items):,} items; {MAX_ITEMS:,} are allowed")
    return Progress(
        items=items,
        limit=_bearable(values.count(each.max_parallel, "max-parallel"), len(items)),
        fail_fast=values.flag(each.fail_fast, "fail-fast"),
        undo=undoable(body),
    )


async def _iterate(
    runner: Runner,
    each: ForEachPlan,
    body: tuple[NodePlan, ...],
    ids: list[str],
    record: StepRecord,
    scope: Scope,
    values: Values,
    path: str,
) -> None:
    if record.progress is None:
        record.progress = _decided(each, body, values)
    items = record.progress.items or []
    results: dict[int, dict[str, Any]] = {}

    async def iteration(index: int) -> bool:
        inner = scope.nested(**(_names(each, items, index) if items else {}))  # none: has ended, nothing is undone
        inner.steps.update(dict.fromkeys(ids))
        await runner.run_list(body, inner, _begin(record, index), prefix=(path, f"{record.path}[{index}]"))
        results[index] = {step_id: inner.steps.get(step_id) for step_id in ids}
        return not inner.failed

    await _concurrently(runner, record, len(items), iteration)
    for step_id in ids:
        found = [results[index][step_id] for index in sorted(results) if results[index][step_id]]
        if found:
            scope.steps[step_id] = {**found[-1], "results": found}


def _names(each: ForEachPlan, items: list[Any], index: int) -> dict[str, Any]:
    return {"item": items[index], "index": index, each.alias: items[index]}


async def _while(runner: Runner, block: WhilePlan, record: StepRecord, scope: Scope) -> None:
    ids = [node.id for node in block.steps if node.id]
    scope.steps.update({step_id: scope.steps.get(step_id) for step_id in ids})
    if record.progress is None:
        values = runner.job.values(scope)
        most = values.count(block.max_iterations, "max-iterations")
        record.progress = Progress(most=most, delay=values.seconds(block.delay, "delay") or 0.0)
    index = 0
    while index < len(record.branches) or await _goes_on(runner, block, record, record.progress, scope):
        prefix = (block.path, f"{record.path}[{index}]")
        await runner.run_list(block.steps, scope, _begin(record, index), prefix=prefix)
        index += 1


async def _goes_on(runner: Runner, block: WhilePlan, record: StepRecord, progress: Progress, scope: Scope) -> bool:
    """Whether another iteration begins, after the delay between two."""
    job, begun = runner.job, len(record.branches)
    if record.state.ended:
        return False
    if begun >= progress.most:
        if job.values(scope).condition(block.test, "while") and not scope.failed:
            raise StepFailure("too-many-iterations", f"while: the condition still holds after {begun} iterations")
        return False
    if progress.due is None:
        ended = scope.failed or job.stop.cancelled or job.halted
        if ended or not job.values(scope).condition(block.test, "while"):
            return False
        progress.due = workflow.time() + (progress.delay if begun else 0.0)
    if begun and progress.delay and not await job.sleep_until(progress.due):
        return False
    progress.due = None
    return True
