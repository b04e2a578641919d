"""Walks the steps of a job in the order they run in, so that each sees the steps before it."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks, below
from waterflow_dsl._analysis._contexts import step_shape
from waterflow_dsl._analysis._expressions import Inspector, Scope
from waterflow_dsl._analysis._nodes import NodeChecker
from waterflow_dsl._analysis._shapes import OPEN, Closed, Shape
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import Dialect


class StepWalker:
    """The steps of one job. ``scope`` is what the job's fields see, and in the end all of its steps."""

    def __init__(
        self,
        job: model.Job,
        scope: Scope,
        inspector: Inspector,
        nodes: NodeChecker,
        catalog: Catalog | None,
        dialect: Dialect,
    ) -> None:
        self._inspector = inspector
        self._nodes = nodes
        self._catalog = catalog
        self._seen: dict[str, Shape] = {}
        later = {
            block.id: (Code.LATER_STEP, f"the step `{block.id}` has not run yet here", "move it before this one")
            for block in all_blocks(job)
            if block.id
        }
        steps = Closed(
            self._seen, "no step of this job has the id `{}`", Code.UNKNOWN_STEP, "give the step an `id`", later
        )
        self.scope = scope if dialect == "github" else scope.with_contexts({"steps": steps})

    def walk(self, job: model.Job) -> None:
        """Judge all steps of the job."""
        self._list(job.steps, self.scope, False)
        if job.rollout:
            self._list(job.rollout.check, self.scope, False)
        self._list(job.on_failure, self.scope, False)
        self._list(job.finally_, self.scope, False)

    def _list(self, blocks: tuple[model.Block, ...], scope: Scope, looped: bool) -> None:
        for block in blocks:
            self._block(block, scope, looped)
            self._declare(block, looped)

    def _declare(self, block: model.Block, looped: bool) -> None:
        if block.id:
            self._seen[block.id] = step_shape(block, self._catalog, looped)

    def _block(self, block: model.Block, scope: Scope, looped: bool) -> None:
        match block:
            case model.Step():
                self._step(block, scope)
            case model.Parallel():
                self._inspect(block, scope)
                self._parallel(block.parallel, scope, looped)
            case model.Branch():
                self._inspect(block, scope)
                self._list(block.then, scope, looped)
                self._list(block.else_, scope, looped)
            case model.Loop():
                self._inspect(block, scope)
                self._body(block.steps, _inner(scope, block.as_))
            case model.While():
                self._body(block.steps, scope.with_contexts({"index": OPEN}))
                self._inspect(block, scope)

    def _step(self, step: model.Step, scope: Scope) -> None:
        inner = scope if step.for_each is None else _inner(scope, step.as_)
        for site in step.sites:
            self._inspector.inspect(site, scope if site.path == f"{step.path}.for-each" else inner)
        self._nodes.check(step)
        if step.rollback:
            self._declare(step, False)
            self._list(step.rollback, inner, False)

    def _parallel(self, blocks: tuple[model.Block, ...], scope: Scope, looped: bool) -> None:
        """Steps that run at once do not see each other."""
        before = dict(self._seen)
        gathered: dict[str, Shape] = {}
        for block in blocks:
            self._block(block, scope, looped)
            self._declare(block, looped)
            gathered.update(self._seen)
            self._seen.clear()
            self._seen.update(before)
        self._seen.update(gathered)

    def _body(self, blocks: tuple[model.Block, ...], scope: Scope) -> None:
        """In a loop every step may have run before, in an earlier iteration."""
        for block in below(blocks):
            self._declare(block, True)
        self._list(blocks, scope, True)

    def _inspect(self, block: model.Block, scope: Scope) -> None:
        for site in block.sites:
            self._inspector.inspect(site, scope)


def _inner(scope: Scope, alias: str | None) -> Scope:
    contexts: dict[str, Shape] = {"item": OPEN, "index": OPEN}
    if alias is None:
        return scope.with_contexts(contexts)
    return scope.with_contexts({**contexts, alias: OPEN}, frozenset({alias}))
