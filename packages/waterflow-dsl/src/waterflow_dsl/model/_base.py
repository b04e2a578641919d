"""What every object of the model has."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from waterflow_dsl._schema._types import Field
from waterflow_dsl._source import Mapping, Node, Scalar


class Site(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A scalar that holds expressions: where it is, and the field whose rules it is under."""

    node: Scalar
    path: str
    field: Field
    bare: bool = False


class ModelObject(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """An object as it was written.

    Attributes:
        node: the mapping, with the places of keys and values.
        path: ``jobs.deploy.steps[2]``.
        sites: every scalar with expressions, up to the objects below that have sites of their own.
    """

    node: Mapping
    path: str
    sites: tuple[Site, ...] = ()

    def key(self, *names: str) -> Node:
        """The key of the first of these fields that was written (either spelling); the object itself otherwise."""
        for name in names:
            for spelled in (name, name.replace("-", "_")):
                entry = self.node.entries.get(spelled)
                if entry is not None:
                    return entry.key
        return self.node

    def node_of(self, name: str) -> Node:
        """The value of a field (either spelling); the object itself when it was not written."""
        return self.node.get(name) or self.node.get(name.replace("-", "_")) or self.node


def as_mapping(value: Any) -> dict[str, Any] | None:
    """A plain value as a mapping, or None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """A plain value as a list, or None."""
    return cast("list[Any]", value) if isinstance(value, list) else None


Values = dict[str, Any]
"""A map of the user's: names to plain values, texts of which may hold expressions."""
