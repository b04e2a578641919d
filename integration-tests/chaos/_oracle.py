"""What must come out of a workflow, computed from its model by the rules of the language and nothing of the engine.

Only one thing is taken from the run itself: which attempts were interrupted by a fault. What follows from that (another
attempt, a failure, a rollback) is computed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._model import AGENTS, Branch, Condition, Each, Job, Loop, Node, Step, Together, Workflow
from ._source import undo_of

Interrupted = Callable[[str, str, int], str]
"""(job instance, step path, attempt number) → error code of the interruption, empty if there was none."""


@dataclass
class ExpectedAttempt:
    """``interrupted`` ones may have had their effect or not; all others had it once."""

    state: str
    interrupted: bool = False


@dataclass
class Expected:
    """A step or block. ``attempts`` are those of all turns of the job."""

    path: str
    name: str
    step: Step | None = None
    state: str = ""
    conclusion: str = ""
    attempts: list[ExpectedAttempt] = field(default_factory=list[ExpectedAttempt])
    children: list[Expected] = field(default_factory=list["Expected"])

    def end(self, state: str) -> None:
        """The state is the conclusion as well, until something says otherwise."""
        self.state = self.conclusion = state


@dataclass
class ExpectedInstance:
    """A job instance. ``endings`` come after the steps; those of rollbacks in any order where steps ran at once."""

    job: str
    name: str
    state: str
    steps: list[Expected] = field(default_factory=list[Expected])
    endings: list[Expected] = field(default_factory=list[Expected])


@dataclass
class ExpectedRun:
    """A run, with its job instances in the order of the file."""

    state: str
    instances: list[ExpectedInstance]


@dataclass
class _Scope:
    """What steps see of those before them. ``counted``: loops whose counter has reached its end."""

    completed: list[tuple[Step, Expected]]
    failed: bool = False
    counted: frozenset[str] = frozenset()

    def nested(self) -> _Scope:
        return _Scope(self.completed, self.failed, self.counted)


def expect(workflow: Workflow, interrupted: Interrupted) -> ExpectedRun:
    """The end of a run of this workflow."""
    results: dict[str, str] = {}
    failed: dict[str, bool] = {}
    instances: list[ExpectedInstance] = []
    for job in workflow.jobs:
        below = any(failed[need] or results[need] == "failed" for need in job.needs)
        failed[job.id] = below
        if _begins(job.condition, below if job.condition == "failure()" else not _all_succeeded(job, results)):
            made = _instances(job, interrupted)
            state = next(
                (state for state in ("failed", "cancelled") if state in {one.state for one in made}), "success"
            )
        else:
            made = [ExpectedInstance(job.id, job.id, "skipped")]
            state = "skipped"
        instances.extend(made)
        results[job.id] = "success" if job.tolerated and state == "failed" else state
    return ExpectedRun("failed" if "failed" in results.values() else "success", instances)


def _all_succeeded(job: Job, results: dict[str, str]) -> bool:
    return all(results[need] == "success" for need in job.needs)


def _begins(condition: Condition, failed: bool) -> bool:
    return {"": not failed, "always()": True, "failure()": failed, "1 == 2": False}[condition]


def _instances(job: Job, interrupted: Interrupted) -> list[ExpectedInstance]:
    made: list[ExpectedInstance] = []
    for name in _names(job):
        if job.fail_fast and any(one.state == "failed" for one in made):
            made.append(ExpectedInstance(job.id, name, "cancelled"))
        else:
            made.append(_Instance(job, name, interrupted).run())
    return made


def _names(job: Job) -> list[str]:
    elements = [f"m{number}" for number in range(job.matrix)] or [""]
    hosts = AGENTS if job.where == "all" else ("",)
    parts = [[part for part in (element, host) if part] for element in elements for host in hosts]
    return [f"{job.id}[{','.join(part)}]" if part else job.id for part in parts]


class _Instance:
    """One job instance, played through."""

    def __init__(self, job: Job, name: str, interrupted: Interrupted) -> None:
        self._job = job
        self._name = name
        self._interrupted = interrupted
        self._attempts: dict[str, list[ExpectedAttempt]] = {}

    def run(self) -> ExpectedInstance:
        job = self._job
        for _turn in range(job.retry):
            scope, steps = _Scope([]), list[Expected]()
            self._list(job.steps, "steps", scope, steps)
            if not scope.failed:
                break
        endings: list[Expected] = []
        if scope.failed:
            for step, record in reversed(scope.completed):
                self._list([undo_of(step)] if step.undo else [], f"{record.path}.rollback", _Scope([]), endings)
            self._list(job.on_failure, "on-failure", _Scope([]), endings)
        self._list(job.finally_, "finally", _Scope([]), endings)
        return ExpectedInstance(job.id, self._name, "failed" if scope.failed else "success", steps, endings)

    def _list(self, nodes: list[Node] | list[Step], path: str, scope: _Scope, into: list[Expected]) -> None:
        for index, node in enumerate(nodes):
            into.append(self._node(node, f"{path}[{index}]", scope))

    def _node(self, node: Node, path: str, scope: _Scope) -> Expected:
        if isinstance(node, Step):
            return self._step(node, path, scope)
        record = Expected(path, node.name)
        if scope.failed:
            record.end("skipped")
            return record
        self._block(node, record, scope)
        failed = any(child.conclusion == "failed" for child in record.children)
        record.end("failed" if failed else "success")
        scope.failed = scope.failed or failed
        return record

    def _block(self, node: Branch | Each | Loop | Together, record: Expected, scope: _Scope) -> None:
        if isinstance(node, Branch):
            chosen, key = (node.then, "then") if node.test else (node.otherwise, "else")
            self._list(chosen, f"{record.path}.{key}", scope, record.children)
        elif isinstance(node, Each):
            self._each(node, record, scope)
        elif isinstance(node, Together):
            self._together(node, record, scope)
        elif node.name not in scope.counted:
            self._loop(node, record, scope)

    def _loop(self, node: Loop, record: Expected, scope: _Scope) -> None:
        """A loop around this one sees it counted to its end the next time, so it then has no turn."""
        for turn in range(node.turns):
            self._list([node.counter, *node.steps], f"{record.path}[{turn}].steps", scope, record.children)
            if scope.failed:
                return
        scope.counted |= {node.name}

    def _each(self, node: Each, record: Expected, scope: _Scope) -> None:
        for index in range(node.items):
            inner = scope.nested()
            self._list(node.steps, f"{record.path}[{index}].steps", inner, record.children)
            if inner.failed and node.fail_fast and node.parallel == 1:
                return

    def _together(self, node: Together, record: Expected, scope: _Scope) -> None:
        counted = scope.counted
        for index, step in enumerate(node.steps):
            inner = scope.nested()
            record.children.append(self._node(step, f"{record.path}.parallel[{index}]", inner))
            counted |= inner.counted
            if inner.failed and node.fail_fast and node.limit == 1:
                break
        scope.counted = counted

    def _step(self, step: Step, path: str, scope: _Scope) -> Expected:
        record = Expected(path, step.name, step)
        record.attempts = self._attempts.setdefault(path, [])
        if not _begins(step.condition, scope.failed):
            record.end("skipped")
            return record
        record.end(self._try(step, path, record.attempts))
        if record.state == "success":
            scope.completed.append((step, record))
        elif step.tolerated:
            record.conclusion = "success"
        else:
            scope.failed = True
        return record

    def _try(self, step: Step, path: str, attempts: list[ExpectedAttempt]) -> str:
        spent = 0
        while spent < step.retry:
            number = len(attempts) + 1
            code = self._interrupted(self._name, path, number)
            succeeds = not code and number > step.fails
            attempts.append(ExpectedAttempt("success" if succeeds else "failed", interrupted=bool(code)))
            if succeeds:
                return "success"
            spent += not self._free(code)
        return "failed"

    def _free(self, code: str) -> bool:
        """Whether the policy goes on after this interruption without using up one of the allowed attempts."""
        if self._job.loss != "reassign":
            return False
        return code in ("fenced", "agent-restarted") or (code == "agent-lost" and self._job.where == "any")
