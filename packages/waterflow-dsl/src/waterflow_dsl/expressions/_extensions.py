"""Waterflow's own functions; none of them exists in the `github` dialect.

Like GitHub's they never fail for a value's type: a value that makes no sense becomes text, a number or nothing.
"""

import math
from collections.abc import Mapping
from typing import cast

from waterflow_dsl.expressions._access import elements
from waterflow_dsl.expressions._coercion import is_primitive, kind_of, to_number, to_string
from waterflow_dsl.expressions._errors import RefusalError
from waterflow_dsl.expressions._frame import Frame


def default(_frame: Frame, value: object, fallback: object) -> object:
    """`value`, or `fallback` when it is null or an empty text; false and 0 are values."""
    return fallback if value is None or value == "" else value


def split(frame: Frame, text: object, separator: object = ",") -> list[object]:
    """The parts of a text between separators; an empty text has no parts, an empty separator parts every character."""
    whole, glue = to_string(text), to_string(separator)
    if not whole:
        return []
    count = whole.count(glue) + 1 if glue else len(whole)
    frame.charge_text(len(whole), count)
    frame.charge_items(count)
    return list(whole.split(glue) if glue else whole)


def replace(frame: Frame, text: object, search: object, replacement: object) -> str:
    """A text with every occurrence of another replaced, case considered; nothing is searched for when it is ""."""
    whole, old, new = to_string(text), to_string(search), to_string(replacement)
    if not old:
        return whole
    frame.charge_text(len(whole) + whole.count(old) * max(0, len(new) - len(old)))
    return whole.replace(old, new)


def lower(frame: Frame, text: object) -> str:
    """A text in lower case."""
    whole = to_string(text)
    frame.charge_text(len(whole))
    return whole.lower()


def upper(frame: Frame, text: object) -> str:
    """A text in upper case."""
    whole = to_string(text)
    frame.charge_text(len(whole))
    return whole.upper()


def trim(frame: Frame, text: object) -> str:
    """A text without white space at its ends."""
    whole = to_string(text)
    frame.charge_text(len(whole))
    return whole.strip()


def length(_frame: Frame, value: object) -> float:
    """How many elements, keys or, for anything else as text, characters."""
    return float(len(to_string(value)) if is_primitive(value) else len(elements(value)))


def keys(frame: Frame, value: object) -> list[object]:
    """The keys of an object in their order; nothing for any other value."""
    found = list(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else []
    frame.charge_items(len(found))
    return [to_string(key) for key in found]


def values(frame: Frame, value: object) -> list[object]:
    """The values of an object in the order of its keys, or the elements of an array; nothing for any other value."""
    found = list(elements(value))
    frame.charge_items(len(found))
    return found


def number_range(frame: Frame, first: object, last: object = None, step: object = 1.0) -> list[object]:
    """The numbers from 0 up to `first`, or from `first` up to `last`, without the end, by `step`.

    Raises:
        RefusalError: a bound or the step is no finite number, or the step is 0.
    """
    start, end = (0.0, to_number(first)) if last is None else (to_number(first), to_number(last))
    width = to_number(step)
    if not all(map(math.isfinite, (start, end, width))):
        raise RefusalError("range needs finite numbers")
    if width == 0:
        raise RefusalError("range needs a step other than 0")
    # A quotient past what memory allows is refused before anything is made, however large it is.
    count = math.ceil(max(0.0, min((end - start) / width, 1e9)))
    frame.charge_items(4 * count)
    return [start + index * width for index in range(count)]


def smallest(_frame: Frame, *arguments: object) -> float | None:
    """The smallest number of an array or of the arguments; null for none, NaN when one is no number."""
    numbers = _numbers(arguments)
    return None if not numbers else _nan_or(min(numbers), numbers)


def largest(_frame: Frame, *arguments: object) -> float | None:
    """The largest number of an array or of the arguments; null for none, NaN when one is no number."""
    numbers = _numbers(arguments)
    return None if not numbers else _nan_or(max(numbers), numbers)


def _numbers(arguments: tuple[object, ...]) -> list[float]:
    single = len(arguments) == 1 and kind_of(arguments[0]) == "array"
    return [to_number(value) for value in (elements(arguments[0]) if single else arguments)]


def _nan_or(result: float, numbers: list[float]) -> float:
    return math.nan if any(map(math.isnan, numbers)) else result
