"""The workflows that a file calls, read as far as their callers need it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec

from waterflow_dsl import model
from waterflow_dsl._analysis._graph import find_cycle
from waterflow_dsl._convert import convert
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._source import compose, decode


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller sees of a workflow. ``callable`` False: it has no trigger ``call``."""

    callable: bool
    inputs: Mapping[str, model.Input | None] = {}
    secrets: Mapping[str, model.Secret | None] = {}
    outputs: tuple[str, ...] = ()


class CalledFiles:
    """The files that jobs call by ``uses: ./path``, directly or by way of others; without ``files`` none is known."""

    def __init__(
        self, caller: str, workflow: model.Workflow, files: Mapping[str, str] | None, dialect: Dialect
    ) -> None:
        self._texts = {_key(name): text for name, text in (files or {}).items()}
        self._dialect: Dialect = dialect
        self._called: dict[str, Called] = {}
        self._edges: dict[str, list[str]] = {}
        self._looked_at: set[str] = set()
        if files is not None:
            self._follow(_key(caller), workflow)

    def get(self, uses: str) -> Called | None:
        """What a ``uses`` calls; None when its text is not known, or cannot be read."""
        return self._called.get(_key(uses))

    def cycle(self, uses: str) -> list[str] | None:
        """Paths of workflows that call each other for ever once this one is called; each is found once."""
        return find_cycle(_key(uses), self._edges, self._looked_at) if _key(uses) in self._edges else None

    def _follow(self, caller: str, workflow: model.Workflow) -> None:
        pending = [(caller, workflow)]
        while pending:
            name, current = pending.pop()
            used = (job.uses or "" for job in current.jobs.values())
            self._edges[name] = [_key(uses) for uses in used if uses.startswith("./") and "${{" not in uses]
            for called in self._edges[name]:
                if called not in self._edges:
                    self._edges[called] = []
                    found = self._read(called)
                    pending += [(called, found)] if found else []

    def _read(self, name: str) -> model.Workflow | None:
        """A mistake in a called file is not its caller's: it is reported when that file is checked."""
        report = Report(name)
        source = decode(self._texts[name], report) if name in self._texts else None
        root = compose(source, report) if source else None
        workflow = convert(root, report, self._dialect) if root else None
        if workflow is not None:
            self._called[name] = _interface(workflow)
        return workflow


def _interface(workflow: model.Workflow) -> Called:
    triggers = workflow.on
    if triggers is None or "call" not in triggers.names:
        return Called(callable=False)
    call = triggers.call
    if call is None:
        return Called(callable=True)
    return Called(callable=True, inputs=call.inputs, secrets=call.secrets, outputs=tuple(call.outputs))


def _key(path: str) -> str:
    return posixpath.normpath(path)
