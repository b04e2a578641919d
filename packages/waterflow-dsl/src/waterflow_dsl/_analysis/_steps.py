"""Walks the steps of a job in the order they run in, so that each sees the steps before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks, below
from waterflow_dsl._analysis._contexts import step_shape
from waterflow_dsl._analysis._expressions import Inspector, Scope
from waterflow_dsl._analysis._nodes import NodeChecker
from waterflow_dsl._analysis._seen import Hidden, SeenSteps, merged
from waterflow_dsl._analysis._shapes import OPEN, Shape, either
from waterflow_dsl._catalog import Catalog
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
        self._seen = SeenSteps(_ids(all_blocks(job)))
        self._repeats = False
        """Whether a `while` is around: steps may read what any of them left in the turn before."""
        self.scope = scope if dialect == "github" else scope.with_contexts({"steps": self._seen.shape})

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
            self._seen.add({block.id: step_shape(block, self._catalog, looped)})

    def _block(self, block: model.Block, scope: Scope, looped: bool) -> None:
        match block:
            case model.Step():
                self._step(block, scope)
            case model.Parallel():
                self._inspect(block, scope)
                self._parallel(block.parallel, scope, looped)
            case model.Branch():
                self._inspect(block, scope)
                self._branch(block, scope, looped)
            case model.Loop():
                self._inspect(block, scope)
                self._body(block.steps, _inner(scope, block.as_))
            case model.While():
                self._while(block, scope)

    def _step(self, step: model.Step, scope: Scope) -> None:
        inner = scope if step.for_each is None else _inner(scope, step.as_)
        for site in step.sites:
            self._inspector.inspect(site, scope if site.path == f"{step.path}.for-each" else inner)
        self._nodes.check(step)
        if step.rollback:
            self._declare(step, False)
            self._list(step.rollback, inner, False)

    def _branch(self, block: model.Branch, scope: Scope, looped: bool) -> None:
        """One of the lists runs: neither sees the other's steps, and what follows may have either's."""
        ended: list[dict[str, Shape]] = []
        for own, other, name in ((block.then, block.else_, "else"), (block.else_, block.then, "then")):
            mark, foreign = self._seen.mark(), set(_ids(below(other))) - set(_ids(below(own)))
            hidden = self._hide(foreign, f"the step `{{}}` is in `{name}`, of which nothing runs here", looped)
            if looped:
                self._declare_all(own)
            self._list(own, scope, looped)
            ended.append(self._seen.back(mark))
            self._seen.show(hidden)
        self._seen.add(merged(*ended))

    def _parallel(self, blocks: tuple[model.Block, ...], scope: Scope, looped: bool) -> None:
        """Steps that run at once do not see each other."""
        why = "the step `{}` runs at the same time as this one"
        hidden = self._hide(set(_ids(below(blocks))), why, looped)
        gathered: dict[str, Shape] = {}
        for block in blocks:
            mark = self._seen.mark()
            own = {each: hidden[each] for each in _ids(below((block,))) if each in hidden}
            self._seen.show(own)
            self._block(block, scope, looped)
            self._declare(block, looped)
            gathered.update(self._seen.back(mark))
            self._seen.hide(own, why)
        self._seen.show(hidden)
        self._seen.add(gathered)

    def _hide(self, ids: set[str], why: str, looped: bool) -> Hidden:
        # Outside of loops, what is seen already is an id that is there twice: that is reported once, as such.
        if self._repeats:
            return {}
        return self._seen.hide(ids if looped else {each for each in ids if each not in self._seen.shape.names}, why)

    def _while(self, block: model.While, scope: Scope) -> None:
        outer, self._repeats = self._repeats, True
        self._body(block.steps, scope.with_contexts({"index": OPEN}))
        self._repeats = outer
        self._inspect(block, scope)

    def _body(self, blocks: tuple[model.Block, ...], scope: Scope) -> None:
        """In a loop every step may have run before, in an earlier iteration."""
        self._declare_all(blocks)
        self._list(blocks, scope, True)

    def _declare_all(self, blocks: tuple[model.Block, ...]) -> None:
        shapes: dict[str, Shape] = {}
        for block in below(blocks):
            if block.id:
                shape = step_shape(block, self._catalog, True)
                shapes[block.id] = either(shapes[block.id], shape) if block.id in shapes else shape
        self._seen.add(shapes)

    def _inspect(self, block: model.Block, scope: Scope) -> None:
        for site in block.sites:
            self._inspector.inspect(site, scope)


def _ids(blocks: Iterable[model.Block]) -> Iterator[str]:
    return (block.id for block in blocks if block.id)


def _inner(scope: Scope, alias: str | None) -> Scope:
    contexts: dict[str, Shape] = {"item": OPEN, "index": OPEN}
    if alias is None:
        return scope.with_contexts(contexts)
    return scope.with_contexts({**contexts, alias: OPEN}, frozenset({alias}))
