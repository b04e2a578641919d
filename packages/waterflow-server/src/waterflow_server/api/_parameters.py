"""Parameters of a route as their callers know them: their names, and the values that they take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from litestar.handlers import HTTPRouteHandler
from litestar.typing import FieldDefinition

from .._nearest import did_you_mean

_NO_MEMBER = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)


def public_name(handler: HTTPRouteHandler, parameter: str) -> str:
    """The name in the address of a parameter of the handler's function; itself where it is none."""
    field = _field(handler, parameter)
    return parameter if field is None else getattr(field.kwarg_definition, "name", None) or parameter


def explain(handler: HTTPRouteHandler, parameter: str, message: str) -> str:
    """A message of the parser; one about a value that is not among the allowed ones gets these, and the nearest."""
    found, field = _NO_MEMBER.match(message), _field(handler, parameter)
    if found is None or field is None:
        return message
    allowed = list(_allowed(field.annotation))
    return f"{found[1]!r} is none of {', '.join(allowed)}{did_you_mean(found[1], allowed)}"


def _field(handler: HTTPRouteHandler, parameter: str) -> FieldDefinition | None:
    return handler.parsed_fn_signature.parameters.get(parameter)


def _allowed(annotation: Any) -> Iterator[str]:
    """The values of the enumerations and literals in a type."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(member.value) for member in annotation)
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for part in get_args(annotation):
            yield from _allowed(part)
