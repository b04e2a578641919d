"""Runs lists of steps: conditions, one node after the other, what follows from each. Blocks come back here.

A record that is there already was begun before a roll-over: one that has ended only lets those after it know, one that
has not goes on with what it had decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from waterflow_dsl.plan import NodePlan, StepPlan, UsesKind
from waterflow_sdk.wire import MAX_OUTPUT_BYTES, NodeOutcome, State, canonical_json

from ..._garbage import no_collection
from .._policy import attempt_policy
from .._progress import Progress, Resolved
from .._values import StepFailure, Values
from ..memory._records import StepRecord
from ..nodes._control import StopJob, run_control
from ..nodes._given import Control
from . import _blocks
from ._attempts import Attempts, Reassign
from ._context import JobContext, Scope
from ._resume import keep, take_up


class StepRunner:
    """Runs the steps of one job instance. ``reassign`` finds another agent where the job's target allows one."""

    def __init__(self, job: JobContext, reassign: Reassign | None) -> None:
        self.job = job
        self._reassign = reassign

    async def run_list(
        self, nodes: Sequence[NodePlan], scope: Scope, records: list[StepRecord], *, prefix: tuple[str, str] = ("", "")
    ) -> None:
        """Run in order. ``prefix`` = (from, to) moves the paths of a loop's body into its iteration."""
        with no_collection():
            records.extend(self._record(node, prefix) for node in nodes[len(records) :])
        for node, record in zip(nodes, records, strict=True):
            if await self._kept(node, record, scope):
                continue
            if not record.state.ended:
                await self._next(node, record, scope)
                continue
            if record.branches:
                await _blocks.pass_through(self, node, record, scope)
            _pass_by(node, record, scope)

    async def _kept(self, node: NodePlan, record: StepRecord, scope: Scope) -> bool:
        """Whether an earlier run has done the step, so that a retry takes it over."""
        if record.path in self.job.kept:
            keep(node, record, self.job.kept[record.path], self.job)
        if record.kept and record.branches and record.progress is not None:
            await _blocks.pass_through(self, node, record, scope)
        if record.kept:
            take_up(node, record, self.job, scope)
        return record.kept

    async def _next(self, node: NodePlan, record: StepRecord, scope: Scope) -> None:
        if record.state is State.PENDING:
            await self.job.may_start()
        begun = record.state is not State.PENDING
        if self.job.stop.force and not begun:
            record.end(State.CANCELLED, workflow.now(), reason=self.job.stop.reason)
        elif self.job.halted and not begun:
            record.end(State.SKIPPED, workflow.now(), reason=self.job.halted)
        else:
            await self.run_node(node, record, scope)

    async def run_node(self, node: NodePlan, record: StepRecord, scope: Scope) -> None:
        """Run one step or block to its end and let the scope know."""
        try:
            if isinstance(node, StepPlan):
                await self._step(node, record, scope)
            else:
                await _blocks.run_block(self, node, record, scope)
        except StepFailure as failure:
            record.end(State.FAILED, workflow.now(), error=self.job.mask_error(failure.error))
            scope.fail(record)
        if node.id:
            scope.steps[node.id] = record.context()

    def begins(self, condition: str, record: StepRecord, values: Values) -> bool:
        """Whether the step or block runs at all; marks it skipped, with the reason, when not."""
        if record.state is not State.PENDING:
            return True
        if values.condition(condition):
            record.begin(workflow.now())
            return True
        if self.job.stop.cancelled:
            record.end(State.CANCELLED, workflow.now(), reason=self.job.stop.reason)
        else:
            record.end(State.SKIPPED, workflow.now(), reason=f"if: {condition} was false")
        return False

    def _record(self, node: NodePlan, prefix: tuple[str, str]) -> StepRecord:
        old, new = prefix
        path = new + node.path.removeprefix(old) if old else node.path
        name = node.name if isinstance(node.name, str) and "${{" not in node.name else ""
        kind = node.uses.name if isinstance(node, StepPlan) else type(node).__struct_config__.tag
        return StepRecord(
            path=path, id=node.id, name=name or str(kind), node=str(kind), attempts=self.job.attempts_of(path)
        )

    async def _step(self, step: StepPlan, record: StepRecord, scope: Scope) -> None:
        values = self.job.values(scope)
        if not self.begins(step.condition, record, values):
            return
        if step.for_each is not None:
            await _blocks.run_step_for_each(self, step, record, scope)
            return
        try:
            self._conclude(record, await self._execute(step, record, scope, values))
        except StopJob as stop:
            record.end(State.SUCCESS, workflow.now())
            self.job.halt(str(stop))
            raise
        except StepFailure as failure:
            if failure.error.code == TOO_LARGE and not workflow.patched(PATCH_TOO_LARGE):
                raise
            record.end(State.FAILED, workflow.now(), error=self.job.mask_error(failure.error))
        self._judge(step, record, scope, values)

    async def _execute(self, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> NodeOutcome | None:
        """Run what the step uses; None where the interpreter ran it itself and ``record.outputs`` are set."""
        if record.progress is None:
            record.name = self.job.mask(values.text(step.name, "name")) or record.name
            record.progress = self._resolve(step, record, scope, values)
        progress = record.progress
        if step.uses.kind is UsesKind.CONTROL:
            _measured(progress.inputs if step.uses.name == "vars/set" else None, "what is set takes")
            outputs = await run_control(step.uses.name, self._control(record, progress))
            _measured(outputs, "the outputs take")
            record.outputs = self.job.mask(outputs)
            return None
        return await Attempts(self.job, progress, record, self._reassign).run()

    def _resolve(self, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> Progress:
        """All expressions of a step, evaluated once."""
        if step.uses.kind is UsesKind.CONTROL:
            inputs = values.resolve(step.inputs, "with")
            return Progress(inputs=self.job.mask(inputs) if step.uses.name in _SHOWN else inputs)
        if step.uses.kind not in (UsesKind.NODE, UsesKind.EXPRESSION):
            raise StepFailure("not-available", f"uses: {step.uses.name} cannot be run by this server")
        env = values.texts(step.env, "env")
        inner = self.job.values(scope, env={**self.job.env, **env}) if env else values
        task = Resolved(
            path=record.path,
            name=record.name,
            node=values.text(step.uses.name, "uses"),
            version=step.uses.ref,
            inputs=inner.resolve(step.inputs, "with"),
            env=env,
            run_as=inner.text(step.run_as, "run-as"),
            memory=inner.memory(step.memory, "resources.memory"),
        )
        given = self.job.given
        policy = attempt_policy(step, given.job.agent_loss, inner, retry_safe=task.node in given.retry_safe)
        return Progress(task=task, policy=policy)

    def _control(self, record: StepRecord, progress: Progress) -> Control:
        return Control(
            given=self.job.given,
            inputs=progress.inputs or {},
            record=record,
            stop=self.job.stop,
            roll=self.job.roll,
            inbox=self.job.inbox,
            set_vars=self.job.set_vars,
            tell=self.job.tell,
        )

    def _conclude(self, record: StepRecord, outcome: NodeOutcome | None) -> None:
        stop = self.job.stop
        if outcome is None:
            ended = stop.state if stop.state and record.node in _WAITING and not record.outputs else State.SUCCESS
            record.end(ended, workflow.now(), reason=stop.reason if stop.state else "")
            return
        state = stop.state if stop.state and outcome.state is State.CANCELLED else outcome.state
        record.end(state, workflow.now(), reason=stop.reason if state is stop.state else "", error=outcome.error)
        _check(outcome.outputs, "the outputs take")
        record.outputs = outcome.outputs
        self.job.absorb(outcome.env, outcome.paths, outcome.masks)

    def _judge(self, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> None:
        """What the step's state means for those after it."""
        if record.state is State.SUCCESS:
            record.order = self.job.next_order()
            scope.complete(step, record)
        elif record.state is State.FAILED or (record.state is State.TIMED_OUT and not self.job.stop.cancelled):
            if values.flag(step.continue_on_error, "continue-on-error"):
                record.conclusion = State.SUCCESS
            else:
                scope.fail(record)


def _pass_by(node: NodePlan, record: StepRecord, scope: Scope) -> None:
    """A step or block that ended before a roll-over: what it means for those after it."""
    if isinstance(node, StepPlan) and record.order:
        scope.complete(node, record)
    scope.failed = scope.failed or record.broke
    if node.id:
        scope.steps[node.id] = record.context()


_SHOWN = frozenset({"approval", "fail", "stop", "wait"})
"""Control nodes whose inputs are only for people or for a comparison: what they say is masked."""

_WAITING = frozenset({"approval", "sleep", "wait", "workflow/run"})
"""Control nodes that a stop cuts short."""


TOO_LARGE = "outputs-too-large"
PATCH_TOO_LARGE = "2026-11-outputs-too-large"


def _check(outputs: dict[str, Any], what: str) -> None:
    size = len(canonical_json(outputs))
    if size > MAX_OUTPUT_BYTES:
        raise StepFailure(
            TOO_LARGE, f"{what} {size:,} bytes; {MAX_OUTPUT_BYTES:,} are allowed: write large results to a file"
        )


def _measured(outputs: dict[str, Any] | None, what: str) -> None:
    """The same for control nodes, which older versions let pass."""
    try:
        _check(outputs or {}, what)
    except StepFailure:
        if workflow.patched(PATCH_TOO_LARGE):
            raise
