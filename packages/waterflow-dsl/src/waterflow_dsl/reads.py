"""What a part of a plan reads: the names that its templates and conditions refer to. Pure, for tools and plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from waterflow_dsl.expressions import parse_expression, parse_template, references

Path = tuple[str, ...]
"""A context and how far into it is read: ``("secrets", "TOKEN")``; it ends where a key is computed or a wildcard."""

_CONDITIONS = frozenset({"condition", "test"})


def reads(part: object) -> frozenset[Path]:
    """Every reference in a part of a plan: a job, a step, a template, or a mapping or list of them."""
    return frozenset(_reads(part))


def named(part: object, context: str) -> frozenset[str] | None:
    """The names that are read of one context; None where it is read as a whole, such as by ``toJSON(secrets)``."""
    paths = [path for path in reads(part) if path[0].casefold() == context]
    return None if any(len(path) == 1 for path in paths) else frozenset(path[1] for path in paths)


def _reads(part: Any) -> Iterator[Path]:
    if isinstance(part, str):
        if "${{" in part:
            for segment in parse_template(part).expressions:
                yield from _of_expression(segment.expression)
    elif isinstance(part, msgspec.Struct):
        for field in part.__struct_fields__:
            value = getattr(part, field)
            yield from _of_expression(value) if field in _CONDITIONS and isinstance(value, str) else _reads(value)
    elif isinstance(part, Mapping):
        for value in part.values():  # pyright: ignore[reportUnknownVariableType] - Any above
            yield from _reads(value)
    elif isinstance(part, (list, tuple)):
        for value in part:  # pyright: ignore[reportUnknownVariableType] - Any above
            yield from _reads(value)


def _of_expression(text: str) -> Iterator[Path]:
    for reference in references(parse_expression(text)):
        path: list[str] = []
        for segment in reference.path:
            if segment is None:
                break
            path.append(str(segment))
        yield tuple(path)
