"""The workflows that a file calls, read as far as their callers need it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

import msgspec

from waterflow_dsl import model
from waterflow_dsl._analysis._graph import find_cycle
from waterflow_dsl._convert import convert
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._source import compose, decode

_STORED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


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
        self._caller = caller
        self._texts = {normal_key(name): text for name, text in (files or {}).items()}
        self._dialect: Dialect = dialect
        self._called: dict[str, Called] = {}
        self._edges: dict[str, list[str]] = {}
        self._looked_at: set[str] = set()
        if files is not None:
            self._follow(caller, workflow)

    def get(self, uses: str) -> Called | None:
        """What a ``uses`` calls; None when its text is not known, or cannot be read."""
        return self._called.get(called_key(self._caller, uses) or "")

    def cycle(self, uses: str) -> list[str] | None:
        """Paths of workflows that call each other for ever once this one is called; each is found once."""
        key = called_key(self._caller, uses)
        return find_cycle(key, self._edges, self._looked_at) if key in self._edges else None

    def _follow(self, caller: str, workflow: model.Workflow) -> None:
        pending = [(caller, workflow)]
        while pending:
            name, current = pending.pop()
            used = (called_key(name, job.uses) for job in current.jobs.values() if job.uses)
            self._edges[name] = [key for key in used if key is not None]
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


def called_key(caller: str, uses: str) -> str | None:
    """The key of the workflow that a ``uses`` names, seen from the one with the key ``caller``.

    ``./path`` is a file beside the caller. A bare name is a stored workflow, ``@name/workflow.yaml``: no file that is
    sent along can have such a key, and what it calls by ``./path`` is its own, never the submitter's. None for anything
    else: an expression, a workflow of another repository, a path out of a stored workflow.
    """
    if "${{" in uses:
        return None
    if uses.startswith(("./", "../")):
        key = normal_key(posixpath.join(posixpath.dirname(caller), uses))
        stored = caller.partition("/")[0] if caller.startswith("@") else None
        return key if stored is None or key.startswith(f"{stored}/") else None
    return f"@{uses}/workflow.yaml" if _STORED.fullmatch(uses) else None


def own_key(filename: str) -> str:
    """The key of the file that is checked: those sent along are named by their paths from its directory."""
    return posixpath.basename(filename.replace("\\", "/"))


def normal_key(path: str) -> str:
    """One spelling for each path."""
    return posixpath.normpath(path)
