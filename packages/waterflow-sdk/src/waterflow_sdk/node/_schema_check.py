"""Whether a JSON Schema that somebody wrote by hand is one (draft 2020-12), and what to put right where it is not.

Only the keywords that decide about values are looked at; what else is in a schema is left alone, as the standard says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_MANY = ("properties", "patternProperties", "$defs")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE = ("items", "additionalProperties", "not")


def schema_problems(schema: object, where: str) -> list[str]:
    """Everything that is wrong with a schema, each as one sentence that begins with its place below ``where``."""
    return [f"{place} {problem}" for place, problem in _problems(schema, where, schema)]


_Found = Iterator[tuple[str, str]]


def _problems(schema: object, where: str, root: object) -> _Found:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield where, "must be a JSON Schema: a mapping, true or false"
        return
    given = cast("dict[str, Any]", schema)
    for keyword, (fits, what) in _PLAIN.items():
        if keyword in given and not fits(given[keyword]):
            yield f"{where}.{keyword}", f"must be {what}, not {given[keyword]!r}"
    if "$ref" in given and not _leads(given["$ref"], root):
        yield (
            f"{where}.$ref",
            f"leads nowhere: {given['$ref']!r}; only places in the same schema can be named, as #/$defs/…",
        )
    for keyword, part, place in _parts(given):
        if place is None:
            yield f"{where}.{keyword}", part
        else:
            yield from _problems(part, f"{where}.{place}", root)


def _parts(given: dict[str, Any]) -> Iterator[tuple[str, Any, str | None]]:
    """The schemas in a schema: keyword, schema, place; a problem has no place."""
    for keyword in _ONE:
        if keyword in given:
            yield keyword, given[keyword], keyword
    for keyword in _MANY:
        value = given.get(keyword, {})
        if not isinstance(value, dict):
            yield keyword, "must be a mapping of names to schemas", None
            continue
        yield from ((keyword, part, f"{keyword}.{name}") for name, part in cast("dict[str, Any]", value).items())
    for keyword in _LISTS:
        value = given.get(keyword, [])
        if not isinstance(value, list):
            yield keyword, "must be a list of schemas", None
            continue
        yield from ((keyword, part, f"{keyword}[{index}]") for index, part in enumerate(cast("list[Any]", value)))


def _is_type(value: object) -> bool:
    kinds = cast("list[object]", value) if isinstance(value, list) else [value]
    return bool(kinds) and all(isinstance(kind, str) and kind in _TYPES for kind in kinds)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in cast("list[object]", value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_pattern(value: object) -> bool:
    try:
        re.compile(cast("str", value))
    except (re.error, TypeError, RecursionError, OverflowError):
        return False
    return True


def _leads(reference: object, root: object) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    place = root
    for word in reference.removeprefix("#").split("/")[1:]:
        name = word.replace("~1", "/").replace("~0", "~")  # RFC 6901
        if not isinstance(place, dict) or name not in place:
            return False
        place = cast("dict[str, Any]", place)[name]
    return True


_NUMBER = (_is_number, "a number")
_COUNT = (_is_count, "a whole number, 0 or more")
_PLAIN: dict[str, tuple[Callable[[object], bool], str]] = {
    "type": (_is_type, f"one or several of {', '.join(sorted(_TYPES))}"),
    "required": (_is_names, "a list of names"),
    "enum": (lambda value: isinstance(value, list), "a list of values"),
    "pattern": (_is_pattern, "a regular expression of Python"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _COUNT),
}
