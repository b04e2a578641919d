"""Every function of the language: its name, arity, who answers it, and what it does."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from waterflow_dsl.expressions import _extensions, _standard
from waterflow_dsl.expressions._ast import Dialect
from waterflow_dsl.expressions._dates import format_date
from waterflow_dsl.expressions._format import format_text
from waterflow_dsl.expressions._json import from_json, to_json

MAX_ARGUMENTS = 255
"""Arguments of a function without a limit of its own; GitHub's limit."""


class FunctionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a function.

    Attributes:
        name: the documented spelling; names are looked up without regard to case.
        signature: how it is called, for documentation and completion.
        summary: one sentence.
        minimum: fewest arguments.
        maximum: most arguments.
        extension: whether it is Waterflow's own and absent from the `github` dialect.
        implementation: takes the frame and the evaluated arguments; None when the caller answers the function, or
            when its arguments are evaluated one by one (`case`).
        hosted: whether the caller answers it.
    """

    name: str
    signature: str
    summary: str
    minimum: int
    maximum: int
    extension: bool = False
    implementation: Callable[..., Any] | None = None
    hosted: bool = False


def _standard_function(
    signature: str, minimum: int, maximum: int, implementation: Callable[..., Any] | None, summary: str
) -> FunctionInfo:
    name = signature.partition("(")[0]
    return FunctionInfo(
        name=name,
        signature=signature,
        summary=summary,
        minimum=minimum,
        maximum=maximum,
        implementation=implementation,
    )


def _extension(
    signature: str, minimum: int, maximum: int, implementation: Callable[..., Any], summary: str
) -> FunctionInfo:
    function = _standard_function(signature, minimum, maximum, implementation, summary)
    return msgspec.structs.replace(function, extension=True)


def _hosted(signature: str, minimum: int, maximum: int, summary: str, *, extension: bool = False) -> FunctionInfo:
    function = _standard_function(signature, minimum, maximum, None, summary)
    return msgspec.structs.replace(function, hosted=True, extension=extension)


_ALL: Final = (
    _standard_function(
        "case(predicate, value, …, default)",
        3,
        MAX_ARGUMENTS,
        None,
        "The value behind the first predicate that is true, else the default; predicates must be booleans.",
    ),
    _standard_function(
        "contains(search, item)",
        2,
        2,
        _standard.contains,
        "Whether an array has an element equal to the item, or a text contains it.",
    ),
    _standard_function(
        "endsWith(text, suffix)", 2, 2, _standard.ends_with, "Whether a text ends with another, ignoring case."
    ),
    _standard_function(
        "format(text, value, …)",
        1,
        MAX_ARGUMENTS,
        format_text,
        "A text with {0}, {1}, … replaced by the values; {{ and }} are single braces.",
    ),
    _standard_function("fromJSON(text)", 1, 1, from_json, "The value that JSON text stands for."),
    _standard_function(
        "join(array, separator)", 1, 2, _standard.join, "The elements as one text; the separator is ',' unless given."
    ),
    _standard_function(
        "startsWith(text, prefix)", 2, 2, _standard.starts_with, "Whether a text begins with another, ignoring case."
    ),
    _standard_function("toJSON(value)", 1, 1, to_json, "A value as pretty-printed JSON."),
    _hosted("always()", 0, 0, "True, whatever happened before; also when the run was cancelled."),
    _hosted("cancelled()", 0, 0, "Whether the run was cancelled."),
    _hosted("failure()", 0, MAX_ARGUMENTS, "Whether something before failed."),
    _hosted("success()", 0, MAX_ARGUMENTS, "Whether nothing before failed or was cancelled."),
    _hosted("hashFiles(pattern, …)", 1, MAX_ARGUMENTS, "One SHA-256 of the files that match, read on the agent."),
    _extension(
        "default(value, fallback)", 2, 2, _extensions.default, "The value, or the fallback when it is null or ''."
    ),
    _extension(
        "formatDate(value, pattern, offset)",
        1,
        3,
        format_date,
        "A moment (ISO 8601 or seconds) as text, by the directives of POSIX date.",
    ),
    _extension("keys(object)", 1, 1, _extensions.keys, "The keys of an object, in order."),
    _extension("length(value)", 1, 1, _extensions.length, "How many elements, keys or characters."),
    _extension("lower(text)", 1, 1, _extensions.lower, "A text in lower case."),
    _extension("max(number, …)", 1, MAX_ARGUMENTS, _extensions.largest, "The largest of the numbers or of an array."),
    _extension("min(number, …)", 1, MAX_ARGUMENTS, _extensions.smallest, "The smallest of the numbers or of an array."),
    _hosted("now()", 0, 0, "The run's durable clock, as ISO 8601 text in UTC.", extension=True),
    _extension(
        "range(first, last, step)", 1, 3, _extensions.number_range, "Numbers from first (0) up to, without, last."
    ),
    _extension("replace(text, search, replacement)", 3, 3, _extensions.replace, "Every occurrence replaced."),
    _extension("split(text, separator)", 1, 2, _extensions.split, "The parts between separators (',')."),
    _extension("trim(text)", 1, 1, _extensions.trim, "A text without white space at its ends."),
    _extension("upper(text)", 1, 1, _extensions.upper, "A text in upper case."),
    _extension("values(object)", 1, 1, _extensions.values, "The values of an object, or the elements of an array."),
)

FUNCTIONS: Final[Mapping[str, FunctionInfo]] = {function.name: function for function in _ALL}
"""Every function by its documented spelling."""

_BY_FOLDED_NAME: Final = {function.name.lower(): function for function in _ALL}

STATUS_FUNCTIONS: Final = frozenset({"success", "failure", "always", "cancelled"})
"""The functions whose presence in an `if` replaces the implicit `success()`."""


def find_function(name: str, dialect: Dialect) -> FunctionInfo | None:
    """The function of that name, in any case; None when the dialect has none."""
    function = _BY_FOLDED_NAME.get(name.lower())
    return None if function is None or (function.extension and dialect == "github") else function
