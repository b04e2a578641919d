"""The vocabulary in which the language is written down: kinds of values, fields and objects.

The tables made of these are the one source of the validator, of the published JSON Schema and of the reference.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Origin: TypeAlias = Literal["both", "waterflow", "github"]


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of value."""


class Text(Type, frozen=True, kw_only=True):
    """Text; numbers and booleans become text, as on GitHub. ``pattern`` must match the whole text.

    ``filled``: neither nothing nor an empty text, in any dialect (GitHub's non-empty string).
    """

    options: tuple[str, ...] = ()
    pattern: str | None = None
    what: str = "text"
    filled: bool = False
    code: str | None = None


class Number(Type, frozen=True, kw_only=True):
    """A number within bounds."""

    minimum: float | None = None
    maximum: float | None = None
    integer: bool = True


class Flag(Type, frozen=True, kw_only=True):
    """A boolean."""


class Duration(Type, frozen=True, kw_only=True):
    """A duration; ``unit`` is the seconds that one of a bare number stands for."""

    unit: float = 1.0


class Memory(Type, frozen=True, kw_only=True):
    """An amount of memory."""


class Condition(Type, frozen=True, kw_only=True):
    """An expression, with or without its braces."""


class Json(Type, frozen=True, kw_only=True):
    """Any value; texts anywhere inside may hold expressions. ``scalar``: no lists and mappings."""

    scalar: bool = False


class Null(Type, frozen=True, kw_only=True):
    """No value."""


class MapOf(Type, frozen=True, kw_only=True):
    """A mapping with keys of the user's choice.

    ``template``: one whole expression may stand for all of it. ``null``: nothing is an empty mapping.
    """

    values: Type
    pattern: str | None = None
    what: str = "name"
    template: bool = False
    null: bool = False


class ListOf(Type, frozen=True, kw_only=True):
    """A list; ``single``: one value counts as a list of one."""

    items: Type
    single: bool = False
    minimum: int = 0


class OneOf(Type, frozen=True, kw_only=True):
    """Told apart by form: a mapping, a list, a scalar, nothing; ``template``: or one whole expression."""

    mapping: Type | None = None
    sequence: Type | None = None
    scalar: Type | None = None
    null: bool = False
    template: bool = False


class Ref(Type, frozen=True, kw_only=True):
    """An object type by name; ``scope``: see :class:`ObjectType`."""

    name: str


class Steps(Type, frozen=True, kw_only=True):
    """A list of steps and blocks; ``single``: one step counts as a list of one."""

    single: bool = False


class ActionSteps(Type, frozen=True, kw_only=True):
    """The steps of a composite action."""


class Triggers(Type, frozen=True, kw_only=True):
    """What ``on`` takes: a name, a list of names, or a mapping."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which contexts and which of the hosted functions a field allows; ``bare``: those that take no arguments here."""

    contexts: frozenset[str]
    functions: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()


class OnGithub(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about a field in GitHub's dialect; what is not said here is the same.

    ``alias``: GitHub knows the aliases only.
    """

    type: Type | None = None
    place: Place | None = None
    static: bool = False
    required: bool = False
    alias: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an object. ``place`` None = the value is static. ``origin`` says whose key it is."""

    name: str
    type: Type
    help: str
    place: Place | None = None
    required: bool = False
    aliases: tuple[str, ...] = ()
    origin: Origin = "both"
    github: OnGithub | None = None

    @property
    def attribute(self) -> str:
        """The name of the field in the model."""
        name = self.name.replace("-", "_")
        return name + "_" if name in _RESERVED else name


_RESERVED = frozenset({"if", "else", "while", "with", "finally", "as", "in", "for", "from"})


class ObjectType(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping with known keys.

    ``scope``: expressions inside are judged as a whole of their own (job, step). ``model`` None: what was written is
    kept as a plain mapping, because nothing acts on it. ``loose``: other keys may stand beside the known ones.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    model: type[Any] | None
    scope: bool = False
    exclusive: tuple[tuple[str, ...], ...] = ()
    loose: bool = False


def fold(key: str) -> str:
    """The kebab-case spelling of a key."""
    return key.replace("_", "-")
