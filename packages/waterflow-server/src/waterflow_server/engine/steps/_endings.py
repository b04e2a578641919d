"""What follows the steps of a job: rollback in reverse, ``on-failure``, ``finally``. None hides the first error."""

from __future__ import annotations

from collections.abc import Iterator

from temporalio import workflow

from waterflow_dsl.plan import JobPlan, NodePlan
from waterflow_sdk.wire import State

from ..memory._records import StepRecord
from ._context import Scope
from ._steps import StepRunner

Ending = tuple[tuple[NodePlan, ...], tuple[str, str], Scope]
"""Steps, the ``prefix`` of their paths, and what they see."""

PATCH_ITERATION = "2026-11-rollback-sees-its-iteration"


class Endings:
    """Runs the endings one after the other, each with a list of records of its own after the job's in ``lists``.

    ``within``: the request to stop that the last of these lists had, if a roll-over interrupted it.
    """

    def __init__(self, runner: StepRunner, lists: list[list[StepRecord]], within: State | None) -> None:
        self._runner = runner
        self._lists = lists
        self._within = within
        self._interrupted = len(lists) - 1

    async def run(self, plan: JobPlan, main: Scope, *, stopped: bool) -> None:
        """Run what is due after the main steps; ``stopped`` = they were ended early."""
        for number, (nodes, prefix, seen) in enumerate(_due(plan, main, stopped=stopped), 1):
            if number == len(self._lists):
                self._lists.append([])
            within = self._within if number == self._interrupted else None
            scope = Scope(steps=seen.steps, names=seen.names)  # `success()` asks about these steps, not the job's
            with self._runner.job.stop.set_aside(within):
                await self._runner.run_list(nodes, scope, self._lists[number], prefix=prefix)


def _due(plan: JobPlan, main: Scope, *, stopped: bool) -> Iterator[Ending]:
    if main.failed or stopped:
        yield from _rollbacks(main)
    if main.failed and plan.on_failure:
        yield plan.on_failure, ("", ""), main
    if plan.finally_:
        yield plan.finally_, ("", ""), main


def _rollbacks(main: Scope) -> Iterator[Ending]:
    """Of the steps that succeeded, the last one first, each below the path of its step in its iteration."""
    for step, record, scope in sorted(main.completed, key=lambda each: each[1].order, reverse=True):
        if step.rollback:
            yield step.rollback, (step.path, record.path), _seen(scope, main)


def _seen(scope: Scope, main: Scope) -> Scope:
    """What a rollback sees: the job as it stands at its end, and of a loop the names and results of its iteration."""
    if not scope.names or not workflow.patched(PATCH_ITERATION):
        return main
    return Scope(steps={**main.steps, **scope.steps}, names=scope.names)
