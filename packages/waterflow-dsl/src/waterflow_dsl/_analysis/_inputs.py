"""Values against JSON Schemas, each finding at the value it is about."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from waterflow_dsl._catalog import DURATION_FORMAT
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._duration import parse_duration
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence
from waterflow_dsl._source._tree import plain

_FOREIGN_REFERENCE = re.compile(rb'"\$(?:dynamicRef|ref)":"(?!#/\$defs/)')
_LOCAL_REFERENCE = re.compile(rb'"\$(?:dynamicRef|ref)":"#/\$defs/([^"/]*)')


def check_value(inputs: dict[str, Any], name: str, node: Node, path: str, report: Report) -> None:
    """Report where a value does not fit the schema of its input; what holds expressions is judged when it is known."""
    schema: dict[str, Any] | bool = inputs["properties"][name]
    if not isinstance(schema, bool) and "$defs" in inputs:
        schema = {**schema, "$defs": inputs["$defs"]}
    validator = schema_validator(msgspec.json.encode(schema, order="sorted"))
    if validator is None:
        return
    found = False
    for error in validator.iter_errors(plain(node)):
        place, below = _descend(node, list(error.absolute_path))
        found = True
        if not _has_expression(place):
            report.add(
                Code.NODE_INPUT, place, _message(error, path + below), path=path + below, hint=_hint(error, place)
            )
    if not found and not isinstance(schema, bool) and schema.get("format") == DURATION_FORMAT:
        _check_duration(node, path, report)


def _check_duration(node: Node, path: str, report: Report) -> None:
    if not isinstance(node, Scalar) or node.value is None or _has_expression(node):
        return
    try:
        parse_duration(node.value)
    except ValueError as error:
        report.add(Code.NOT_A_DURATION, node, str(error), path=path, hint="for example `30s`, `10m` or `1h30m`")


@lru_cache(maxsize=512)
def schema_validator(schema: bytes) -> Any:
    """The validator of a schema; None for one that says nothing, is broken, or refers to other documents.

    A broken schema is its author's mistake, not that of the workflow; nothing is ever fetched. jsonschema is imported
    here because it is the slowest import of the package, and needed only with a catalog.
    """
    if schema in (b"{}", b"true") or _FOREIGN_REFERENCE.search(schema):
        return None
    from jsonschema import Draft202012Validator, SchemaError

    document = msgspec.json.decode(schema)
    if not all(name.decode() in document.get("$defs", {}) for name in _LOCAL_REFERENCE.findall(schema)):
        return None
    try:
        Draft202012Validator.check_schema(document)
    except SchemaError:
        return None
    return Draft202012Validator(document)


def _descend(node: Node, steps: list[str | int]) -> tuple[Node, str]:
    path = ""
    for step in steps:
        if isinstance(node, Sequence) and isinstance(step, int):
            node, path = node.items[step], f"{path}[{step}]"
        elif isinstance(node, Mapping):
            node, path = node.entries[str(step)].value, f"{path}.{step}"
    return node, path


def _has_expression(node: Node) -> bool:
    if isinstance(node, Scalar):
        return isinstance(node.value, str) and "${{" in node.value
    values = node.items if isinstance(node, Sequence) else [entry.value for entry in node.entries.values()]
    return any(_has_expression(value) for value in values)


def _message(error: Any, path: str) -> str:
    name = path.rpartition(".")[2]
    text = str(error.message)
    return f"`{name}`: {text if len(text) <= 200 else text[:197] + '…'}"


def _hint(error: Any, node: Node) -> str | None:
    if error.validator == "type" and error.validator_value == "string" and isinstance(node, Scalar):
        return f'quote it: "{node.text}"' if node.value is not None else None
    if error.validator == "enum":
        return "one of: " + ", ".join(str(value) for value in error.validator_value)
    schema: dict[str, Any] | bool = error.schema
    described = None if isinstance(schema, bool) else schema.get("description")
    return str(described) if described else None
