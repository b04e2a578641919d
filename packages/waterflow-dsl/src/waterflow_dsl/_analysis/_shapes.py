"""What a context holds, as far as it is known before a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from waterflow_dsl._codes import Code


class Closed(msgspec.Struct, frozen=True):
    """Nothing but these names.

    ``unknown`` is the message for any other, with ``{}`` for the name; ``hint`` says what to do when no name is near;
    ``refused`` has the code, message and hint of names that exist, but not here.
    """

    names: Mapping[str, Shape]
    unknown: str
    code: Code = Code.UNKNOWN_REFERENCE
    hint: str | None = None
    refused: Mapping[str, tuple[Code, str, str]] = {}


class Names(dict[str, "Shape"]):
    """Shapes by name, found in any case without looking at each."""

    def __init__(self, names: Iterable[str] = (), shape: Shape | None = None) -> None:
        super().__init__()
        self._spelled: dict[str, str] = {}
        for name in names:
            self[name] = OPEN if shape is None else shape

    def __setitem__(self, name: str, shape: Shape) -> None:
        super().__setitem__(name, shape)
        self._spelled[name.lower()] = name

    def find(self, name: str) -> Shape | None:
        """The shape of a name in any case."""
        return self.get(self._spelled.get(name.lower(), name))


class ListOf(msgspec.Struct, frozen=True):
    """A list of things of one shape."""

    items: Shape


class Similar(msgspec.Struct, frozen=True):
    """Any name, but none that differs from one of these by a typing mistake only."""

    names: tuple[str, ...]
    what: str
    code: Code


class Scalar(msgspec.Struct, frozen=True):
    """A single value: nothing below it. Reading further gives null, as on GitHub."""


class Open(msgspec.Struct, frozen=True):
    """Known only at run time."""


Shape: TypeAlias = Closed | ListOf | Similar | Scalar | Open
OPEN = Open()
VALUE = Scalar()
NOT_HERE = Closed({}, "")
"""Marks a context that does not exist at a place."""


def closed(what: str, names: str) -> Closed:
    """A shape of single values, their names separated by blanks."""
    return Closed(dict.fromkeys(names.split(), VALUE), f"{what} has no `{{}}`")


def either(one: Shape, other: Shape) -> Shape:
    """What is known of a thing that has one of two shapes."""
    if one == other:
        return one
    if not isinstance(one, Closed) or not isinstance(other, Closed):
        return OPEN
    names = {**one.names, **other.names}
    names |= {name: either(shape, other.names[name]) for name, shape in one.names.items() if name in other.names}
    unknown = one.unknown if one.unknown == other.unknown else "neither of the steps with this id has `{}`"
    return msgspec.structs.replace(one, names=names, unknown=unknown)
