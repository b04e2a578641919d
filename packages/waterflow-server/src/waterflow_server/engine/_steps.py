"""Runs lists of steps: conditions, one node after the other, what follows from each. Blocks come back here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from waterflow_dsl.plan import NodePlan, StepPlan, UsesKind
from waterflow_sdk.wire import MAX_OUTPUT_BYTES, NodeOutcome, State, canonical_json

from . import _blocks
from ._attempts import Attempts, Reassign, Resolved
from ._control import Control, StopJob, run_control
from ._job_context import JobContext, Scope
from ._policy import attempt_policy
from ._records import StepRecord
from ._resume import keep
from ._values import StepFailure, Values


class StepRunner:
    """Runs the steps of one job instance. ``reassign`` finds another agent where the job's target allows one."""

    def __init__(self, job: JobContext, reassign: Reassign | None) -> None:
        self.job = job
        self._reassign = reassign

    async def run_list(
        self, nodes: Sequence[NodePlan], scope: Scope, records: list[StepRecord], *, prefix: tuple[str, str] = ("", "")
    ) -> None:
        """Run in order. ``prefix`` = (from, to) moves the paths of a loop's body into its iteration."""
        pending = [self._record(node, prefix) for node in nodes]
        records.extend(pending)
        for node, record in zip(nodes, pending, strict=True):
            if record.path in self.job.kept:
                self._keep(node, record, scope)
                continue
            await self.job.gate.passed()
            if self.job.stop.force:
                record.end(State.CANCELLED, workflow.now(), reason=self.job.stop.reason)
            else:
                await self.run_node(node, record, scope)

    def _keep(self, node: NodePlan, record: StepRecord, scope: Scope) -> None:
        point = self.job.given.resume
        keep(node, record, self.job.kept[record.path], scope, point.contexts if point else {})

    async def run_node(self, node: NodePlan, record: StepRecord, scope: Scope) -> None:
        """Run one step or block to its end and let the scope know."""
        try:
            if isinstance(node, StepPlan):
                await self._step(node, record, scope)
            else:
                await _blocks.run_block(self, node, record, scope)
        except StepFailure as failure:
            record.end(State.FAILED, workflow.now(), error=failure.error)
            scope.failed = True
        if node.id:
            scope.steps[node.id] = record.context()

    def begins(self, condition: str, record: StepRecord, values: Values) -> bool:
        """Whether the step or block runs at all; marks it skipped, with the reason, when not."""
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
            outcome = await self._execute(step, record, scope, values)
        except StopJob:
            record.end(State.SUCCESS, workflow.now())
            raise
        except StepFailure as failure:
            record.end(State.FAILED, workflow.now(), error=failure.error)
        else:
            self._conclude(record, outcome)
        self._judge(step, record, scope, values)

    async def _execute(self, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> NodeOutcome | None:
        """Run what the step uses; None where the interpreter ran it itself and ``record.outputs`` are set."""
        record.name = values.text(step.name, "name") or record.name
        if step.uses.kind is UsesKind.CONTROL:
            record.outputs = await run_control(step.uses.name, self._control(step, record, values))
            return None
        if step.uses.kind not in (UsesKind.NODE, UsesKind.EXPRESSION):
            raise StepFailure("not-available", f"uses: {step.uses.name} cannot be run by this server")
        env = values.texts(step.env, "env")
        inner = self.job.values(scope, env={**self.job.env, **env}) if env else values
        resolved = Resolved(
            path=record.path,
            name=record.name,
            node=values.text(step.uses.name, "uses"),
            version=step.uses.ref,
            inputs=inner.resolve(step.inputs, "with"),
            env=env,
        )
        given = self.job.given
        policy = attempt_policy(step, given.job.agent_loss, inner, retry_safe=resolved.node in given.retry_safe)
        return await Attempts(self.job, policy, record, self._reassign).run(resolved)

    def _control(self, step: StepPlan, record: StepRecord, values: Values) -> Control:
        return Control(
            inputs=values.resolve(step.inputs, "with"),
            record=record,
            stop=self.job.stop,
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
        record.outputs = _checked(outcome.outputs)
        self.job.absorb(outcome.env, outcome.paths, outcome.masks)

    def _judge(self, step: StepPlan, record: StepRecord, scope: Scope, values: Values) -> None:
        """What the step's state means for those after it."""
        if record.state is State.SUCCESS:
            scope.completed.append((step, record))
        elif record.state is State.FAILED or (record.state is State.TIMED_OUT and not self.job.stop.cancelled):
            if values.flag(step.continue_on_error, "continue-on-error"):
                record.conclusion = State.SUCCESS
            else:
                scope.failed = True


_WAITING = frozenset({"approval", "sleep", "wait"})
"""Control nodes that a stop cuts short."""


def _checked(outputs: dict[str, Any]) -> dict[str, Any]:
    size = len(canonical_json(outputs))
    if size > MAX_OUTPUT_BYTES:
        raise StepFailure(
            "outputs-too-large",
            f"the outputs take {size:,} bytes; {MAX_OUTPUT_BYTES:,} are allowed: write large results to a file",
        )
    return outputs
