"""Base structs of a node's inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, dataclass_transform

import msgspec


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _KeywordOnly(msgspec.StructMeta):
    """msgspec does not inherit ``kw_only``; authors should not have to sort fields by having a default."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        config.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **config)


class _NodeData(msgspec.Struct, metaclass=_KeywordOnly, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Frozen, keyword only, kebab-case in YAML and JSON (``working_directory`` is ``working-directory``)."""

    schema_extra: ClassVar[Mapping[str, Any]] = {}
    """JSON Schema keywords that are added to the generated schema, such as ``anyOf`` or ``additionalProperties``."""


class NodeInput(_NodeData, frozen=True):
    """Base of a node's ``Input``. Fields may be any type that msgspec knows, and :class:`Secret`.

    Describe a field with ``Annotated[int, Meta(description="…", ge=1)]``. Check fields against each other in
    ``__post_init__``: a ``ValueError`` raised there becomes an :class:`InvalidInput`.
    """


class NodeOutput(_NodeData, frozen=True):
    """Base of a node's ``Output``. A node whose output names are only known when it has run adds
    ``schema_extra = {"additionalProperties": True}`` and gives them with ``ctx.set_output``.
    """
