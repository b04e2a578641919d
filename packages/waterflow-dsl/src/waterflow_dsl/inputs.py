"""The inputs of a node, once their values are known: what its schema says against them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from waterflow_dsl._analysis._inputs import schema_validator
from waterflow_dsl._catalog import DURATION_FORMAT, NodeSignature
from waterflow_dsl._duration import parse_duration

_LONGEST = 200


def input_problems(signature: NodeSignature, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with these inputs of a node; inputs that are not among ``values`` are not judged."""
    properties: dict[str, Any] = signature.inputs.get("properties", {})
    definitions = {"$defs": signature.inputs["$defs"]} if "$defs" in signature.inputs else {}
    known = {name: properties[name] for name in values if name in properties}
    return [
        f"`{name}`: {problem}"
        for name, schema in known.items()
        for problem in _problems(schema if isinstance(schema, bool) else {**schema, **definitions}, values[name])
    ]


def _problems(schema: dict[str, Any] | bool, value: Any) -> Iterator[str]:
    validator = schema_validator(msgspec.json.encode(schema, order="sorted"))
    found = False
    for error in validator.iter_errors(value) if validator is not None else ():
        found = True
        text = str(error.message)
        yield text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    if not found and isinstance(schema, dict) and schema.get("format") == DURATION_FORMAT and value is not None:
        try:
            parse_duration(value)
        except ValueError as error:
            yield str(error)
