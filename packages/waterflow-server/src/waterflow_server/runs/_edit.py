"""Fix-and-continue, the pure part: what a run keeps when it goes on with another definition, and why not more.

A step is kept when it is done, the new definition has the same step at the same place, nothing that it reads has
another value, and every step before it is kept. How long it may take, how often it is tried, what undoes it and what
people call it may change: that does not change what it has done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any, Literal

import msgspec

from waterflow_dsl.plan import JobPlan, Plan
from waterflow_sdk.wire import EditedJob, EditReport, JobState, RunState, State

from ..engine._wire import ResumePoint
from ._edit_steps import NOTHING, Change, Names, first_change, reads_changed

_BROKEN = frozenset({State.FAILED, State.TIMED_OUT, State.CANCELLED})

Elements = Callable[[JobPlan], list[dict[str, Any]] | None]
"""What a job is repeated for under the new definition; None where only the run will know."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of two definitions, with what its run gets. ``called`` are the hashes of the workflows that it calls."""

    plan: Plan
    called: dict[str, str] = {}
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    secrets: dict[str, str] = {}


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided: the report, ``kept`` results and where instances go on, by instance."""

    report: EditReport
    kept: dict[str, JobState]
    resume: dict[str, ResumePoint]


def plan_edit(
    old: Side, new: Side, run: RunState, points: Mapping[str, ResumePoint | None], elements: Elements
) -> Edit:
    """Decide instance by instance. ``points``: where instances can go on, None for those whose host is away."""
    names, changes = _changed_values(old, new)
    own = [job for job in run.jobs if "/" not in job.id]  # the others are parts of called workflows
    decider = _Decider(old, new, msgspec.structs.replace(run, jobs=own), points, elements, names)
    jobs = decider.decide()
    return Edit(report=EditReport(run=run.id, changes=changes, jobs=jobs), kept=decider.kept, resume=decider.resume)


def _changed_values(old: Side, new: Side) -> tuple[Names, list[str]]:
    """The names that expressions read and that have other values now; and the same in words."""
    names: Names = set()
    for context, before, after in (
        ("vars", {**old.plan.vars, **old.vars}, {**new.plan.vars, **new.vars}),
        ("inputs", _inputs(old), _inputs(new)),
        ("secrets", old.secrets, new.secrets),
    ):
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                names.add((context, name))
    words = [f"{context}.{name} changed" for context, name in sorted(names)]
    words += [f"env.{name} changed" for name in sorted({*old.plan.env, *new.plan.env}) if _differs(old, new, name)]
    return names, words


def _differs(old: Side, new: Side, name: str) -> bool:
    return old.plan.env.get(name) != new.plan.env.get(name)


def _inputs(side: Side) -> dict[str, Any]:
    return {name: declared.default for name, declared in side.plan.inputs.items()} | side.inputs


class _Decider:
    def __init__(
        self,
        old: Side,
        new: Side,
        run: RunState,
        points: Mapping[str, ResumePoint | None],
        elements: Elements,
        names: Names,
    ) -> None:
        self._old = {job.id: job for job in old.plan.jobs}
        self._new = {job.id: job for job in new.plan.jobs}
        self._same_called = old.called == new.called
        self._run = run
        self._points = points
        self._elements = elements
        self._names = names
        same_env = old.plan.env == new.plan.env and not reads_changed(new.plan.env, names)
        self._everywhere = "" if same_env else "the environment of the file changed"
        self._stale: set[str] = set()
        self.kept: dict[str, JobState] = {}
        self.resume: dict[str, ResumePoint] = {}

    def decide(self) -> list[EditedJob]:
        """All jobs, those of the new definition in its order, then those that are gone."""
        order = TopologicalSorter({job.id: job.needs for job in self._new.values()}).static_order()
        found = {name: self._job(self._new[name]) for name in order}
        gone = [
            EditedJob(job=job.id, instance=job.instance, action="removed")
            for job in self._run.jobs
            if job.id not in self._new
        ]
        return [*(each for name in self._new for each in found[name]), *gone]

    def _job(self, job: JobPlan) -> list[EditedJob]:
        states = [state for state in self._run.jobs if state.id == job.id]
        old = self._old.get(job.id)
        if old is None or not states:
            self._stale.add(job.id)
            why = "it is not in the old definition" if old is None else "it has not begun"
            return [EditedJob(job=job.id, instance=job.id, action="new", why=why)]
        why = self._everywhere or self._needs_again(job) or job_change(old, job, self._names)
        if not why and job.call is not None and not self._same_called:
            why = "a workflow that it calls changed"
        change = first_change(old.steps, job.steps, self._names)
        outputs = old.outputs != job.outputs or bool(reads_changed(job.outputs, self._names))
        elements = self._elements(job) if _elements_changed(old, job, self._names) else _ANY
        found = [self._instance(state, why or _not_among(state, elements), change, outputs) for state in states]
        if any(each.action != "keep" for each in found):
            self._stale.add(job.id)
        return found

    def _needs_again(self, job: JobPlan) -> str:
        again = [name for name in job.needs if name in self._stale]
        return f"it needs {' and '.join(again)}, which {'runs' if len(again) == 1 else 'run'} again" if again else ""

    def _instance(self, state: JobState, why: str, change: Change, outputs: bool) -> EditedJob:
        if why:
            return _edited(state, "again", why=why)
        if state.state is State.SKIPPED:
            return _edited(state, "again", why="it was skipped")
        if state.state is State.SUCCESS and change == NOTHING and not outputs:
            self.kept[state.instance] = msgspec.structs.replace(
                state, steps=[], kept_from=state.kept_from or self._run.id
            )
            return _edited(state, "keep")
        if state.agent is None and state.state not in _BROKEN:
            return _edited(state, "new", why="it has not begun")
        return self._going_on(state, change, outputs)

    def _going_on(self, state: JobState, change: Change, outputs: bool) -> EditedJob:
        point = self._points.get(state.instance)
        words = [each for each in (_how(state), _words(change, outputs)) if each]
        if point is None:
            away = f"; its host {state.agent.name} is away" if state.agent else ""
            return _edited(state, "again", why=f"{', '.join(words)}{away}")
        steps = point.steps if change.at is None else point.steps[: change.at]
        if not steps:
            return _edited(state, "again", why=", ".join(words))
        self.resume[state.instance] = msgspec.structs.replace(point, steps=steps)
        total = len(self._new[state.id].steps)
        first = f"steps[{len(steps)}]" if len(steps) < total else ""
        kept = [step.path for step in steps]
        return _edited(state, "resume", why=", ".join(words), kept=kept, first=first)


Action = Literal["keep", "resume", "again", "new", "removed"]


def _edited(state: JobState, action: Action, why: str = "", kept: Sequence[str] = (), first: str = "") -> EditedJob:
    return EditedJob(job=state.id, instance=state.instance, action=action, why=why, kept=list(kept), first=first)


_ANY: list[dict[str, Any]] = [{}]
"""For a job whose matrix or list is as it was."""


def job_change(old: JobPlan, new: JobPlan, names: Names) -> str:
    """Why nothing that the job has done counts any more, in words; empty where it does."""
    for field, word in (("target", "runs-on"), ("env", "env"), ("call", "uses")):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            return f"its `{word}` changed"
        changed = reads_changed(after, names)
        if changed:
            return f"its `{word}` reads {changed}, which changed"
    return ""


def _elements_changed(old: JobPlan, new: JobPlan, names: Names) -> bool:
    return any(
        _repeated(before) != _repeated(after) or bool(reads_changed(_repeated(after), names))
        for before, after in ((old.strategy, new.strategy), (old.for_each, new.for_each))
    )


def _repeated(plan: Any) -> Sequence[Any]:
    """What says for which elements there are instances; how many run at once does not."""
    fields = ("matrix", "include", "exclude", "items", "alias")
    return [getattr(plan, field) for field in fields if hasattr(plan, field)]


def _not_among(state: JobState, elements: list[dict[str, Any]] | None) -> str:
    if elements is _ANY:
        return ""
    if elements is None:
        return "its matrix or list changed"
    mine = {"matrix": state.matrix, "item": state.item}
    there = any({"matrix": each.get("matrix"), "item": each.get("item")} == mine for each in elements)
    return "" if there else "its element is not in the new matrix or list"


def _how(state: JobState) -> str:
    if state.state in _BROKEN:
        return "it was cancelled" if state.state is State.CANCELLED else f"it {state.state.value.replace('-', ' ')}"
    return "" if state.state is State.SUCCESS else "it is paused"


def _words(change: Change, outputs: bool) -> str:
    return change.words or ("its `outputs` changed" if outputs else "")
