"""Calls of reusable workflows against what the called file declares.

Source: GitHub's "Reuse workflows": ``with`` and ``secrets`` name what ``on.workflow_call`` declares, ``secrets:
inherit`` passes all.
"""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._analysis._called import Called, CalledFiles
from waterflow_dsl._analysis._declarations import fits
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._source import Mapping, Node


def check_calls(workflow: model.Workflow, files: CalledFiles, report: Report) -> None:
    """Report calls that the called workflow, where it is known, would refuse."""
    for job in workflow.jobs.values():
        if job.uses is None:
            continue
        cycle = files.cycle(job.uses)
        if cycle:
            message = "these workflows call each other: " + " → ".join([*cycle, cycle[0]])
            _add(Code.CALL_CYCLE, job, message, "remove one of the calls", report)
        called = files.get(job.uses)
        if called is not None:
            _check_call(job, job.uses, called, report)


def _check_call(job: model.Job, name: str, called: Called, report: Report) -> None:
    if not called.callable:
        message = f"`{name}` cannot be called: it has no trigger `call`"
        _add(Code.NOT_CALLABLE, job, message, "add `on: call` to it", report)
        return
    given = _entries(job, "with")
    for key, (place, value) in given.items():
        _check_input(job, key, place, value, called, report)
    _check_missing(job, "input", given, called.inputs, report)
    if job.secrets == "inherit":
        return
    passed = _entries(job, "secrets")
    for key, (place, _value) in passed.items():
        if _declared(key, called.secrets) is None:
            _unknown(job, "secret", key, place, list(called.secrets), report)
    _check_missing(job, "secret", passed, called.secrets, report)


def _entries(job: model.Job, field: str) -> dict[str, tuple[Node, Node]]:
    written = job.node_of(field)
    if not isinstance(written, Mapping) or written is job.node:
        return {}
    return {name: (entry.key, entry.value) for name, entry in written.entries.items()}


def _declared(name: str, among: Any) -> str | None:
    """The declared spelling of a name; case does not count, as on GitHub."""
    return next((each for each in among if each.lower() == name.lower()), None)


def _check_input(job: model.Job, key: str, place: Node, value: Node, called: Called, report: Report) -> None:
    name = _declared(key, called.inputs)
    if name is None:
        _unknown(job, "input", key, place, list(called.inputs), report)
        return
    declared, given = called.inputs[name], job.with_.get(key)
    kind = (declared.type if declared else None) or "string"
    if given is None or (isinstance(given, str) and "${{" in given):
        return
    path = f"{job.path}.with.{key}"
    if kind == "choice" and declared and declared.options and given not in declared.options:
        listed = ", ".join(str(option) for option in declared.options)
        report.add(Code.CALL_INPUT_TYPE, value, f"`{key}` is one of {listed}", path=path, hint=f"as `{job.uses}` says")
    elif not fits(kind, given):
        report.add(Code.CALL_INPUT_TYPE, value, f"`{key}` takes a {kind}", path=path, hint=f"as `{job.uses}` says")


def _unknown(job: model.Job, what: str, key: str, place: Node, known: list[str], report: Report) -> None:
    message = f"`{job.uses}` has no {what} `{key[:60]}`"
    hint = did_you_mean(report.nearest(key, known)) or f"{what}s: " + (", ".join(known[:8]) or "none")
    field = "with" if what == "input" else "secrets"
    report.add(Code.UNKNOWN_CALL_INPUT, place, message, path=f"{job.path}.{field}.{key}", hint=hint)


def _check_missing(job: model.Job, what: str, given: Any, declared: Any, report: Report) -> None:
    meant = {near.lower() for key in given if (near := _declared(key, declared) or report.nearest(key, declared))}
    for name, each in declared.items():
        if each is not None and each.required and getattr(each, "default", None) is None and name.lower() not in meant:
            hint = "add it under `with:`" if what == "input" else "add it under `secrets:`, or write `secrets: inherit`"
            _add(Code.MISSING_CALL_INPUT, job, f"`{job.uses}` needs the {what} `{name}`", hint, report)


def _add(code: Code, job: model.Job, message: str, hint: str, report: Report) -> None:
    report.add(code, job.node_of("uses"), message, path=f"{job.path}.uses", hint=hint)
