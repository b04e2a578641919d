"""The tree of a file: scalars, sequences and mappings, each with its place (lines and columns 1-based)."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

ScalarValue: TypeAlias = str | float | int | bool | None


class Scalar(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A single value. ``start`` and ``end`` are offsets in the text; ``style`` is YAML's ("" plain, ' " | >)."""

    line: int
    column: int
    end_line: int
    end_column: int
    value: ScalarValue
    text: str
    style: str
    start: int
    end: int


class Sequence(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A list."""

    line: int
    column: int
    end_line: int
    end_column: int
    items: list[Node]


class Mapping(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A mapping in file order; merge keys are already merged in. Keys as they were written."""

    line: int
    column: int
    end_line: int
    end_column: int
    entries: dict[str, Entry]

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        entry = self.entries.get(key)
        return entry.value if entry else None


class Entry(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A key and its value."""

    key: Scalar
    value: Node


Node: TypeAlias = Scalar | Sequence | Mapping


def plain(node: Node) -> Any:
    """The value as plain data."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def describe(node: Node) -> str:
    """What kind of value a node is, for messages."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return "a boolean"
    return "text" if isinstance(node.value, str) else "a number"
