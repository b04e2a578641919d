"""Declared inputs: a choice has options, and a default is one of them, or of the declared type."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._analysis._contexts import declared_inputs
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report

_TYPES: dict[str, tuple[type[Any], ...]] = {
    "string": (str, int, float, bool),
    "number": (int, float),
    "boolean": (bool,),
    "group": (str,),
    "agent": (str,),
}


def opaque_secrets(workflow: model.Workflow) -> dict[str, str]:
    """The secrets whose values only agents know, as declared, by their names in lower case: expressions see a segment
    that stands for the value."""
    return {
        name.lower(): name
        for name, declared in _declared_secrets(workflow)
        if declared and declared.from_ is not None and declared.on != "server"
    }


def check_secrets(workflow: model.Workflow, report: Report) -> None:
    """Report secrets that say who reads them, but not where."""
    for name, declared in _declared_secrets(workflow):
        if declared and declared.on is not None and "from" not in declared.node.entries:
            message = f"the secret `{name}` says `on: {declared.on}`, but not where it is read"
            report.add(
                Code.MISSING_KEY, declared.key("on"), message, path=declared.path, hint=f"add `from: env:{name}`"
            )


def _declared_secrets(workflow: model.Workflow) -> list[tuple[str, model.Secret | None]]:
    call = workflow.on.call if workflow.on else None
    return [*(call.secrets if call else {}).items(), *workflow.secrets.items()]


def check_inputs(workflow: model.Workflow, report: Report, dialect: Dialect) -> None:
    """Report inputs that no value could satisfy, or whose default does not; GitHub judges defaults less strictly."""
    if dialect == "github":
        _check_on_github(workflow, report)
        return
    for declared in declared_inputs(workflow).values():
        if declared is None:
            continue
        if declared.type == "choice":
            _check_choice(declared, report)
        elif declared.default is not None and not _is_expression(declared.default):
            _check_type(declared, report)


def _check_on_github(workflow: model.Workflow, report: Report) -> None:
    for declared in declared_inputs(workflow).values():
        if declared is None:
            continue
        if declared.type == "choice":
            _check_options(declared, report)
        elif declared.options and (declared.type or "type" not in declared.node.entries):
            message = "`options` belong to an input of the type choice"
            report.add(
                Code.CONFLICTING_KEYS, declared.key("options"), message, path=declared.path, hint="add `type: choice`"
            )
        if declared.type == "boolean" and declared.default is not None and not _is_expression(declared.default):
            _check_type(declared, report)


def _check_options(declared: model.Input, report: Report) -> bool:
    if not declared.options:
        message = "a choice without `options`"
        report.add(Code.MISSING_KEY, declared.key("type"), message, path=declared.path, hint="add `options: [a, b]`")
    return bool(declared.options)


def _check_choice(declared: model.Input, report: Report) -> None:
    if not _check_options(declared, report):
        return
    if declared.default is not None and declared.default not in declared.options:
        listed = ", ".join(str(option) for option in declared.options)
        message = f"the default `{declared.default}` is not one of the options {listed}"
        report.add(Code.NOT_AN_OPTION, declared.node_of("default"), message, path=f"{declared.path}.default")


def _check_type(declared: model.Input, report: Report) -> None:
    kind = declared.type or "string"
    if not fits(kind, declared.default):
        message = f"the default does not fit the type {kind}"
        report.add(Code.WRONG_TYPE, declared.node_of("default"), message, path=f"{declared.path}.default")


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of the type of an input."""
    accepted = _TYPES.get(kind)
    return accepted is None or (isinstance(value, accepted) and not (kind == "number" and isinstance(value, bool)))


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and "${{" in value
