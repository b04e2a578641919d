"""GitHub's functions over text and collections.

Source: GitHub's "Evaluate expressions in workflows and actions", section Functions.
"""

from waterflow_dsl.expressions._access import elements
from waterflow_dsl.expressions._coercion import fold, is_primitive, kind_of, loose_equals, to_string
from waterflow_dsl.expressions._frame import Frame


def contains(_frame: Frame, search: object, item: object) -> bool:
    """Whether an array has an element equal to `item`, or a text has it as a part, without regard to case."""
    if is_primitive(search):
        return is_primitive(item) and fold(to_string(item)) in fold(to_string(search))
    return kind_of(search) == "array" and any(loose_equals(item, element) for element in elements(search))


def starts_with(_frame: Frame, text: object, prefix: object) -> bool:
    """Whether a text begins with another, without regard to case."""
    return _both_primitive(text, prefix) and fold(to_string(text)).startswith(fold(to_string(prefix)))


def ends_with(_frame: Frame, text: object, suffix: object) -> bool:
    """Whether a text ends with another, without regard to case."""
    return _both_primitive(text, suffix) and fold(to_string(text)).endswith(fold(to_string(suffix)))


def _both_primitive(left: object, right: object) -> bool:
    return is_primitive(left) and is_primitive(right)


def join(frame: Frame, items: object, separator: object = ",") -> str:
    """The elements of an array as one text; any other primitive as it is; "" for an object."""
    if is_primitive(items):
        return to_string(items)
    if kind_of(items) != "array":
        return ""
    glue = to_string(separator) if is_primitive(separator) else ","
    texts = [to_string(element) for element in elements(items)]
    frame.charge_text(sum(map(len, texts)) + len(glue) * len(texts), max(1, len(texts)))
    return glue.join(texts)
