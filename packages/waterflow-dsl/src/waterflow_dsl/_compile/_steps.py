"""Steps and blocks."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from waterflow_dsl import model
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._compile._policies import compile_retry, timeout_of
from waterflow_dsl._compile._values import WHOLE, env_text
from waterflow_dsl._conditions import plain, with_success
from waterflow_dsl._confinement import Level, memory_of, run_as_of
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import (
    BranchPlan,
    ForEachPlan,
    LoopPlan,
    NodePlan,
    ParallelPlan,
    StepPlan,
    UsesKind,
    UsesPlan,
    WhilePlan,
)

_EXPRESSION = re.compile(r"\$\{\{.*?(?:\}\}|$)")
SHELL = UsesPlan(kind=UsesKind.NODE, name="shell")


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What a step takes from its job and the file, nearest first."""

    levels: tuple[model.JobDefaults, ...]
    catalog: Catalog | None
    around: tuple[Level, ...] = ()

    def shell_inputs(self) -> dict[str, Any]:
        """Shell and working directory of ``defaults.run``, the nearest of each."""
        found: dict[str, Any] = {}
        for level in self.levels:
            if level.run and level.run.shell is not None:
                found.setdefault("shell", level.run.shell)
            if level.run and level.run.working_directory is not None:
                found.setdefault("working-directory", level.run.working_directory)
        return found


def compile_steps(blocks: tuple[model.Block, ...], path: str, defaults: Defaults) -> tuple[NodePlan, ...]:
    """The steps of a list; ``path`` is the list's place in its job."""
    return tuple(_compile(block, f"{path}[{index}]", defaults) for index, block in enumerate(blocks))


def _compile(block: model.Block, path: str, defaults: Defaults) -> NodePlan:
    match block:
        case model.Step():
            return _step(block, path, defaults)
        case model.Parallel():
            return _parallel(block, path, defaults)
        case model.Branch():
            return _branch(block, path, defaults)
        case model.Loop():
            return _loop(block, path, defaults)
        case model.While():
            return _while(block, path, defaults)


def _step(step: model.Step, path: str, defaults: Defaults) -> StepPlan:
    uses = SHELL if step.run is not None else parse_uses(step.uses or "", defaults.catalog) or SHELL
    return StepPlan(
        path=path,
        uses=uses,
        id=step.id,
        name=step.name or _default_name(step),
        condition=with_success(step.if_),
        inputs=_inputs(step, uses, defaults),
        env=env_text(step.env),
        run_as="" if uses.kind is UsesKind.CONTROL else run_as_of(step, defaults.around)[0],
        memory=None if uses.kind is UsesKind.CONTROL else memory_of(step, defaults.around),
        timeout=timeout_of(step, *defaults.levels),
        heartbeat_timeout=step.heartbeat_timeout,
        retry=compile_retry(step.retry, *(level.retry for level in defaults.levels)),
        continue_on_error=step.continue_on_error,
        rollback=compile_steps(step.rollback, f"{path}.rollback", defaults),
        for_each=None if step.for_each is None else _for_each(step),
        line=step.node.line,
    )


def _default_name(step: model.Step) -> str:
    """The node, or the first line of the script. Expressions are cut out: they may hold secrets."""
    lines = [line.strip() for line in (step.run or step.uses or "").splitlines() if line.strip()]
    first = _EXPRESSION.sub("…", lines[0]) if lines else "run"
    return first if len(first) <= 80 else first[:79] + "…"


def _inputs(step: model.Step, uses: UsesPlan, defaults: Defaults) -> dict[str, Any]:
    inputs = {WHOLE: step.with_} if isinstance(step.with_, str) else dict(step.with_)
    if step.run is not None:
        inputs["run"] = step.run
    if step.shell is not None:
        inputs["shell"] = step.shell
    if step.working_directory is not None:
        inputs["working-directory"] = step.working_directory
    if uses.kind is UsesKind.NODE and uses.name == "shell":
        inputs = {**defaults.shell_inputs(), **inputs}
    return inputs


def _for_each(block: model.Step | model.Loop) -> ForEachPlan:
    return ForEachPlan(
        items=block.for_each,
        alias=block.as_ or "item",
        max_parallel=1 if block.max_parallel is None else block.max_parallel,
        fail_fast=block.fail_fast,
    )


def _parallel(block: model.Parallel, path: str, defaults: Defaults) -> ParallelPlan:
    return ParallelPlan(
        path=path,
        steps=compile_steps(block.parallel, f"{path}.parallel", defaults),
        id=block.id,
        name=block.name or "parallel",
        condition=with_success(block.if_),
        max_parallel=block.max_parallel,
        fail_fast=block.fail_fast,
        line=block.node.line,
    )


def _branch(block: model.Branch, path: str, defaults: Defaults) -> BranchPlan:
    return BranchPlan(
        path=path,
        test=plain(block.if_ or "true"),
        then=compile_steps(block.then, f"{path}.then", defaults),
        otherwise=compile_steps(block.else_, f"{path}.else", defaults),
        id=block.id,
        name=block.name or "if",
        line=block.node.line,
    )


def _loop(block: model.Loop, path: str, defaults: Defaults) -> LoopPlan:
    return LoopPlan(
        path=path,
        each=_for_each(block),
        steps=compile_steps(block.steps, f"{path}.steps", defaults),
        id=block.id,
        name=block.name or "for-each",
        condition=with_success(block.if_),
        line=block.node.line,
    )


def _while(block: model.While, path: str, defaults: Defaults) -> WhilePlan:
    return WhilePlan(
        path=path,
        test=plain(block.while_ or "false"),
        steps=compile_steps(block.steps, f"{path}.steps", defaults),
        max_iterations=1000 if block.max_iterations is None else block.max_iterations,
        delay=0.0 if block.delay is None else block.delay,
        id=block.id,
        name=block.name or "while",
        condition=with_success(block.if_),
        line=block.node.line,
    )
