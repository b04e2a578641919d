"""Mappings and lists of the user's, and values told apart by form."""

from __future__ import annotations

import re
from typing import Any

from waterflow_dsl._codes import Code
from waterflow_dsl._convert._lookalikes import look_alike
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._schema._types import ListOf, MapOf, Null, OneOf
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence


def read_map(reader: Reader, kind: MapOf, node: Node, at: At) -> Any:
    """A mapping; entries that were refused are left out."""
    if kind.template and reader.template(node, at):
        return node.value  # type: ignore[union-attr]
    if kind.null and isinstance(node, Scalar) and node.value is None:
        return {}
    if not isinstance(node, Mapping):
        return reader.wrong_type(node, at, "a mapping")
    found: dict[str, Any] = {}
    for key, entry in node.entries.items():
        if "${{" in key:
            _template_key(reader, entry.key, at)
            reader.read(kind.values, entry.value, at.below(key))
            continue
        if kind.pattern and not re.fullmatch(kind.pattern, key, re.ASCII):
            _bad_name(reader, kind, entry.key, at)
            continue
        value = reader.read(kind.values, entry.value, at.below(key))
        if value is not UNSET:
            found[key] = value
    return found


def _template_key(reader: Reader, key: Scalar, at: At) -> None:
    """GitHub's maps may have expressions as keys, wherever their values may; ours have fixed keys."""
    if reader.github:
        reader.template(key, at)
        return
    hint = "write the key itself; a map as a whole may be one expression"
    reader.report(Code.EXPRESSION_NOT_HERE, key, "keys are static: no `${{ }}` here", at.path, hint)


def _bad_name(reader: Reader, kind: MapOf, key: Scalar, at: At) -> None:
    alike = look_alike(key.text)
    if alike:
        reader.report(Code.LOOK_ALIKE, key, f"`{key.text}` holds {alike}", at.path, "type the name anew")
        return
    hint = "start with a letter; go on with letters, digits, `_` and `-`"
    reader.report(Code.NOT_A_NAME, key, f"`{key.text[:60]}` is not {kind.what}", at.path, hint)


def read_list(reader: Reader, kind: ListOf, node: Node, at: At) -> Any:
    """A tuple; elements that were refused are left out."""
    if isinstance(node, Sequence):
        if len(node.items) < kind.minimum:
            name = at.path.rpartition(".")[2]
            reader.report(Code.EMPTY_VALUE, node, f"`{name}` is empty", at.path)
            return UNSET
        values = [reader.read(kind.items, item, at.item(index)) for index, item in enumerate(node.items)]
        return tuple(value for value in values if value is not UNSET)
    if not kind.single or (isinstance(node, Scalar) and node.value is None):
        return reader.wrong_type(node, at, "a list")
    value = reader.read(kind.items, node, at)
    return UNSET if value is UNSET else (value,)


def read_one_of(reader: Reader, kind: OneOf, node: Node, at: At) -> Any:
    """A value told apart by its form."""
    if isinstance(node, Scalar) and node.value is None and kind.null:
        return None
    if kind.template and reader.template(node, at):
        return node.value  # type: ignore[union-attr]
    if isinstance(node, Mapping):
        chosen = kind.mapping
    elif isinstance(node, Sequence):
        chosen = kind.sequence
    else:
        chosen = kind.scalar if node.value is not None or reader.github else None
    if chosen is None:
        return reader.wrong_type(node, at, _expected(kind))
    return reader.read(chosen, node, at)


def _expected(kind: OneOf) -> str:
    forms = (("a mapping", kind.mapping), ("a list", kind.sequence), ("text", kind.scalar))
    names = [name for name, chosen in forms if chosen is not None] + (["nothing"] if kind.null else [])
    return " or ".join(names)


def read_null(reader: Reader, _kind: Null, node: Node, at: At) -> Any:
    """Nothing."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    return reader.wrong_type(node, at, "nothing")
