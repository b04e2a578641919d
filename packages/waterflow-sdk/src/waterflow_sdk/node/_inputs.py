"""From the JSON of a step's ``with`` to a node's ``Input``, with errors that name the input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, cast, get_args, get_origin

import msgspec

from ._errors import InvalidInput
from ._node import Node, input_type, label
from ._schema import schema_of
from ._secret import Secret

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]+)`")


def load_inputs(node: type[Node], values: Mapping[str, Any]) -> Any:
    """Parse the inputs of a node: its ``Input``, or a plain dict for a node without types.

    Numbers and booleans may be given as text (``"30"``, ``"true"``), because expressions often yield text.

    Raises:
        InvalidInput: An input is unknown (the nearest name is suggested), missing or wrong. Values are never quoted.
    """
    data = input_type(node)
    if data is None:
        return _load_untyped(node, values)
    names = [field.encode_name for field in msgspec.structs.fields(data)]
    _refuse_unknown(node, values, names)
    try:
        return msgspec.convert(values, type=data, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise _explain(node, str(error)) from None


def _decode(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return kind(msgspec.convert(value, type=str))
    if kind is not Secret and get_origin(kind) is not Secret:
        raise NotImplementedError(f"inputs of type {kind!r} are not supported")
    (inner,) = get_args(kind) or (str,)
    return cast("Any", Secret(msgspec.convert(value, type=inner, strict=False)))


def _load_untyped(node: type[Node], values: Mapping[str, Any]) -> dict[str, Any]:
    schema = schema_of(None, node.input_schema)
    if schema.get("additionalProperties") is False:
        _refuse_unknown(node, values, schema.get("properties", {}))
    for name in schema.get("required", ()):
        if name not in values:
            raise _missing(node, name, "")
    return dict(values)


def _refuse_unknown(node: type[Node], values: Mapping[str, Any], names: Iterable[str]) -> None:
    known = list(names)
    for name in values:
        if name not in known:
            raise _unknown(node, name, known)


def _unknown(node: type[Node], name: str, known: list[str]) -> InvalidInput:
    from difflib import get_close_matches  # for a mistake only: it takes memory

    near = get_close_matches(name.replace("_", "-"), known, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif known:
        hint = "it has " + ", ".join(sorted(known))
    else:
        hint = "it has no inputs"
    return InvalidInput(f"{label(node)} has no input {name!r}; {hint}", details={"input": name})


def _missing(node: type[Node], name: str, path: str) -> InvalidInput:
    full = f"{path}.{name}" if path else name
    return InvalidInput(f"{label(node)} needs the input {full!r}", details={"input": full})


def _explain(node: type[Node], text: str) -> InvalidInput:
    """msgspec's sentence, with the path in front as people write it."""
    match = cast("re.Match[str]", _AT.match(text))
    what, path = match["what"], (match["path"] or "")
    if missing := _MISSING.fullmatch(what):
        return _missing(node, missing["name"], path)
    if unknown := _UNKNOWN.fullmatch(what):
        full = f"{path}.{unknown['name']}" if path else unknown["name"]
        return InvalidInput(f"{label(node)} has no input {full!r}", details={"input": full})
    what = re.sub("^Expected ", "expected ", what)
    if not path:
        return InvalidInput(f"{label(node)}: {what}")
    return InvalidInput(f"input {path!r} of {label(node)}: {what}", details={"input": path})
