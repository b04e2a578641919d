"""JSON Schemas of inputs and outputs, and where secrets are among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, get_args, get_origin

import msgspec

from ._data import NodeInput, NodeOutput
from ._secret import Secret

_ANY_OBJECT: dict[str, Any] = {"type": "object"}


def schema_of(data: type[NodeInput] | type[NodeOutput] | None, by_hand: Mapping[str, Any] | None) -> dict[str, Any]:
    """A self-contained JSON Schema (2020-12) of type object: generated, given by hand, or one that allows anything."""
    if data is None:
        return dict(by_hand) if by_hand is not None else dict(_ANY_OBJECT)
    (reference,), components = msgspec.json.schema_components([data], schema_hook=_hook, ref_template="#/$defs/{name}")
    root = components.pop(reference["$ref"].rpartition("/")[2])
    root.pop("title", None)
    if components:
        root["$defs"] = components
    return {**root, **data.schema_extra}


def _hook(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "format": "password", "writeOnly": True}
    if issubclass(kind, PurePath):
        return {"type": "string"}
    raise TypeError(f"type {kind.__name__} has no JSON Schema")


def secret_fields(data: type[msgspec.Struct]) -> list[str]:
    """Names (as in YAML) of the fields whose type holds a :class:`Secret`, sorted."""
    return sorted(field.encode_name for field in msgspec.structs.fields(data) if _holds_secret(field.type))


def _holds_secret(annotation: Any) -> bool:
    return any(part is Secret or get_origin(part) is Secret for part in _parts(annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        if get_origin(annotation) is not Secret:
            yield from _parts(part)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        for field in msgspec.structs.fields(annotation):
            yield from _parts(field.type)
