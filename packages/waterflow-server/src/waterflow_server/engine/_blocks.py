"""Blocks run inside the job workflow: ``if/then/else``, ``parallel``, ``for-each``, ``while``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec
from temporalio import workflow

from waterflow_dsl.plan import BranchPlan, ForEachPlan, LoopPlan, NodePlan, ParallelPlan, StepPlan, WhilePlan
from waterflow_sdk.wire import State

from ._job_context import JobContext, Scope
from ._json import is_list
from ._records import StepRecord
from ._values import StepFailure, Values

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
    if isinstance(block, BranchPlan):
        await _branch(runner, block, record, scope, values)
    elif isinstance(block, ParallelPlan):
        await _parallel(runner, block, record, scope, values)
    elif isinstance(block, LoopPlan):
        await _loop(runner, block, record, scope, values)
    else:
        await _while(runner, block, record, scope)
    _end(runner, record, scope)


def _end(runner: Runner, record: StepRecord, scope: Scope) -> None:
    stop = runner.job.stop
    failed = next((child for child in record.children if child.conclusion in (State.FAILED, State.TIMED_OUT)), None)
    if failed is not None:
        record.end(State.FAILED, workflow.now(), reason=f"{failed.path} {failed.state.value}")
        scope.failed = True
    elif stop.state is not None:
        record.end(stop.state, workflow.now(), reason=stop.reason)
    else:
        record.end(State.SUCCESS, workflow.now())


async def _branch(runner: Runner, block: BranchPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    chosen = block.then if values.condition(block.test) else block.otherwise
    record.reason = "then" if chosen is block.then else "else"
    await runner.run_list(chosen, scope, record.children, prefix=(block.path, record.path))


async def _parallel(runner: Runner, block: ParallelPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    limit = len(block.steps)
    if block.max_parallel is not None:
        limit = values.count(block.max_parallel, "max-parallel")
    inner = [scope.nested() for _ in block.steps]
    children: list[list[StepRecord]] = [[] for _ in block.steps]

    def branch(index: int, node: NodePlan) -> Callable[[], Awaitable[bool]]:
        async def run() -> bool:
            await runner.run_list([node], inner[index], children[index], prefix=(block.path, record.path))
            record.children[:] = [child for group in children for child in group]
            return not inner[index].failed

        return run

    branches = [branch(index, node) for index, node in enumerate(block.steps)]
    await at_once(branches, limit, fail_fast=values.flag(block.fail_fast, "fail-fast"))
    for nested in inner:
        scope.steps.update({key: value for key, value in nested.steps.items() if value is not scope.steps.get(key)})


async def at_once(branches: Sequence[Callable[[], Awaitable[bool]]], limit: int, *, fail_fast: bool) -> None:
    """Run at most ``limit`` at once, in order; after a failure under ``fail_fast`` start no more."""
    slots = asyncio.Semaphore(max(limit, 1))
    failed = False

    async def one(branch: Callable[[], Awaitable[bool]]) -> None:
        nonlocal failed
        async with slots:
            if not (failed and fail_fast):
                failed = not await branch() or failed

    await asyncio.gather(*(one(branch) for branch in branches))


def _items(each: ForEachPlan, values: Values) -> list[Any]:
    items = values.resolve(each.items, "for-each")
    if not is_list(items):
        raise StepFailure("invalid-value", f"for-each: must be a list, not {type(items).__name__}")
    return items


async def _loop(runner: Runner, block: LoopPlan, record: StepRecord, scope: Scope, values: Values) -> None:
    ids = [node.id for node in block.steps if node.id]
    await _iterate(runner, block.each, block.steps, ids, record, scope, values, block.path)


async def run_step_for_each(runner: Runner, step: StepPlan, record: StepRecord, scope: Scope) -> None:
    """``for-each`` on a step: the step repeats; afterwards ``steps.<id>.outputs`` are the last one's."""
    assert step.for_each is not None
    values = runner.job.values(scope)
    single = msgspec.structs.replace(step, for_each=None, id=None)
    await _iterate(runner, step.for_each, (single,), [], record, scope, values, step.path)
    if record.children:
        record.outputs = record.children[-1].outputs
    _end(runner, record, scope)


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
    items = _items(each, values)
    results: list[dict[str, Any]] = [{} for _ in items]
    children: list[list[StepRecord]] = [[] for _ in items]

    def iteration(index: int, item: Any) -> Callable[[], Awaitable[bool]]:
        async def run() -> bool:
            inner = scope.nested(**{"item": item, "index": index, each.alias: item})
            inner.steps.update(dict.fromkeys(ids))
            await runner.run_list(body, inner, children[index], prefix=(path, f"{record.path}[{index}]"))
            results[index] = inner.steps
            record.children[:] = [child for group in children for child in group]
            return not inner.failed

        return run

    limit = values.count(each.max_parallel, "max-parallel")
    turns = [iteration(index, item) for index, item in enumerate(items)]
    await at_once(turns, limit, fail_fast=values.flag(each.fail_fast, "fail-fast"))
    for step_id in ids:
        found = [result[step_id] for result in results if result.get(step_id)]
        if found:
            scope.steps[step_id] = {**found[-1], "results": found}


async def _while(runner: Runner, block: WhilePlan, record: StepRecord, scope: Scope) -> None:
    ids = [node.id for node in block.steps if node.id]
    scope.steps.update({step_id: scope.steps.get(step_id) for step_id in ids})
    values = runner.job.values(scope)
    most = values.count(block.max_iterations, "max-iterations")
    delay = values.seconds(block.delay, "delay") or 0.0
    for index in range(most):
        if scope.failed or runner.job.stop.cancelled or not runner.job.values(scope).condition(block.test, "while"):
            return
        if index and delay and not await runner.job.stop.sleep(delay):
            return
        await runner.run_list(block.steps, scope, record.children, prefix=(block.path, f"{record.path}[{index}]"))
    if runner.job.values(scope).condition(block.test, "while") and not scope.failed:
        raise StepFailure("too-many-iterations", f"while: the condition still holds after {most} iterations")
