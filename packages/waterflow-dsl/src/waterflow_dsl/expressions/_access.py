"""Reading into arrays and objects: `value.key`, `value[index]`, `value.*`.

Source: the behaviour of GitHub's index operator. Nothing here fails: what is not there is null.
"""

import math
from collections.abc import Mapping, Sequence
from typing import cast

from waterflow_dsl.expressions._coercion import is_primitive, kind_of, lookup, to_number, to_string
from waterflow_dsl.expressions._frame import Frame

_MISSING = object()


class FilteredArray(list[object]):
    """The result of `.*`: a further index applies to each element, and elements without it drop out."""


def index_value(frame: Frame, target: object, key: object) -> object:
    """`target[key]`; null when there is no such key or element, or nothing to index."""
    if isinstance(target, FilteredArray):
        found = [_element(item, key) for item in target]
        result = FilteredArray(item for item in found if item is not _MISSING)
        frame.charge_items(len(result))
        return result
    value = _element(target, key)
    return None if value is _MISSING else value


def _element(target: object, key: object) -> object:
    kind = kind_of(target)
    if kind == "object" and isinstance(target, Mapping) and is_primitive(key):
        return lookup(cast("Mapping[str, object]", target), to_string(key), _MISSING)
    if kind == "array":
        position = to_number(key)
        items = cast("Sequence[object]", target)
        # A fractional index means the element that it lies in: 1.9 is element 1.
        if 0 <= position < len(items):
            return items[math.floor(position)]
    return _MISSING


def filter_value(frame: Frame, target: object) -> FilteredArray:
    """`target.*`: the elements of an array or the values of an object; of a filtered array, those of its elements."""
    sources = target if isinstance(target, FilteredArray) else [target]
    result = FilteredArray()
    for source in sources:
        items = elements(source)
        frame.charge_items(len(items))
        result.extend(items)
    return result


def elements(value: object) -> Sequence[object]:
    """The elements of an array or the values of an object; nothing for any other value."""
    if isinstance(value, Mapping):
        return list(cast("Mapping[str, object]", value).values())
    return cast("Sequence[object]", value) if kind_of(value) == "array" else ()
