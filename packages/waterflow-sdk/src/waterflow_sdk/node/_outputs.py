"""From what a node returns to the outputs of its step, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, cast

import msgspec

from ..wire import MAX_OUTPUT_BYTES
from ._errors import InvalidOutput, OutputTooLarge
from ._node import Node, label, output_type
from ._schema import schema_of
from ._sound import sound


def dump_outputs(node: type[Node], returned: Any, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Turn what ``execute`` returned, and what it gave with ``ctx.set_output`` (``extra``), into JSON data.

    Raises:
        InvalidOutput: Something the node does not declare, or no JSON.
        OutputTooLarge: Together more than 64 KiB.
    """
    outputs = {**_dump(node, returned), **_plain(node, dict(extra or {}))}
    schema = schema_of(output_type(node), node.output_schema)
    if schema.get("additionalProperties") is False:
        unknown = sorted(outputs.keys() - schema.get("properties", {}).keys())
        if unknown:
            raise InvalidOutput(f"{label(node)} gave the output {unknown[0]!r}, which it does not declare")
    _check_size(node, outputs)
    return outputs


def dump_given(node: type[Node], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that a node gave with ``ctx.set_output`` before it failed; raises as :func:`dump_outputs`."""
    outputs = _plain(node, dict(extra))
    _check_size(node, outputs)
    return outputs


def _dump(node: type[Node], returned: Any) -> dict[str, Any]:
    declared = output_type(node)
    if returned is None:
        if declared is not None and (required := _required(declared)):
            raise InvalidOutput(f"{label(node)} returned nothing, but declares the output {required[0]!r}")
        return {}
    if declared is None:
        if not isinstance(returned, Mapping):
            raise InvalidOutput(f"{label(node)} returned {type(returned).__name__}, not a mapping of outputs")
        return _plain(node, dict(cast("Mapping[str, Any]", returned)))
    if isinstance(returned, declared):
        return _plain(node, returned)
    try:
        return _plain(node, msgspec.convert(returned, type=declared))
    except msgspec.ValidationError as error:
        raise InvalidOutput(f"{label(node)} returned outputs that it does not declare: {error}") from None


def _required(declared: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(declared) if field.required]


def _plain(node: type[Node], value: Any) -> dict[str, Any]:
    try:
        return msgspec.to_builtins(value, enc_hook=_encode, str_keys=True)
    except (TypeError, ValueError, NotImplementedError, RecursionError) as error:
        raise InvalidOutput(f"{label(node)} returned an output that is no JSON: {error}") from None


def _encode(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"a value of type {type(value).__name__}")


def _size(node: type[Node], name: str, value: Any) -> int:
    try:
        msgspec.json.encode(name)
        return len(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError) as error:  # text that UTF-8 cannot hold is a ValueError
        raise InvalidOutput(f"{label(node)} gave the output {sound(name)!r}, which is no JSON: {error}") from None


def _check_size(node: type[Node], outputs: dict[str, Any]) -> None:
    sizes = {name: _size(node, name, value) for name, value in outputs.items()}
    total = len(msgspec.json.encode(outputs))
    if total <= MAX_OUTPUT_BYTES:
        return
    largest = max(sizes, key=lambda name: sizes[name])
    raise OutputTooLarge(
        f"the outputs of {label(node)} take {total:,} bytes, at most {MAX_OUTPUT_BYTES:,} are allowed; the largest is "
        f"{largest!r} with {sizes[largest]:,} bytes: write it to a file and give its path",
        details={"bytes": total, "largest": largest},
    )
