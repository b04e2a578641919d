"""Values against JSON Schemas, each finding at the value it is about."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence
from waterflow_dsl._source._tree import plain


def check_value(schema: dict[str, Any] | bool, node: Node, path: str, report: Report) -> None:
    """Report where a value does not fit; what holds expressions is judged when it is known."""
    if schema is True or schema == {}:
        return
    validator = _validator(msgspec.json.encode(schema, order="sorted"))
    for error in validator.iter_errors(plain(node)):
        place, below = _descend(node, list(error.absolute_path))
        if _has_expression(place) or error.validator in ("if", "not"):
            continue
        report.add(Code.NODE_INPUT, place, _message(error, path + below), path=path + below, hint=_hint(error, place))


@lru_cache(maxsize=512)
def _validator(schema: bytes) -> Any:
    """jsonschema is imported here because it is the slowest import of the package, and needed only with a catalog."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(msgspec.json.decode(schema))


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
