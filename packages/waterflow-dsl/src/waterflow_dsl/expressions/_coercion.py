"""How values become numbers, text and truth, and how two of them compare.

Source: GitHub's "Evaluate expressions in workflows and actions", section Operators (loose equality, the coercion
table, ignoring case), and ECMAScript's `Number()` for text that is read as a number.

Numbers are floats; ints in contexts are accepted as numbers. Lists and tuples are arrays, mappings are objects. A
value of any other Python type is an object without keys.
"""

import math
import re
from collections.abc import Mapping
from typing import Final, Literal, cast

Kind = Literal["null", "boolean", "number", "string", "array", "object"]
"""The type of a value, as the language knows it."""

WHITESPACE: Final = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Unicode calls white space: skipped between tokens and around numbers in text."""

_STRIPPED: Final = "".join(sorted(WHITESPACE))
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PREFIXED = re.compile(r"0(?:x([0-9a-fA-F]+)|o([0-7]+))")
_WORDS: Final = {"": 0.0, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_KINDS: Final[dict[type, Kind]] = {
    type(None): "null",
    bool: "boolean",
    float: "number",
    int: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def kind_of(value: object) -> Kind:
    """The type of a value in the language."""
    known = _KINDS.get(type(value))
    if known is not None:
        return known
    for base, kind in _KINDS.items():
        if isinstance(value, base):
            return kind
    return "array" if isinstance(value, tuple) else "object"


def is_primitive(value: object) -> bool:
    """Whether a value is null, boolean, number or string."""
    return kind_of(value) not in ("array", "object")


def parse_number(text: str) -> float:
    """Text as a number: decimal with exponent, `0x` hex, `0o` octal, `Infinity`; "" is 0, all else NaN."""
    text = text.strip(_STRIPPED)
    if _DECIMAL.fullmatch(text):
        return float(text)
    prefixed = _PREFIXED.fullmatch(text)
    if prefixed:
        return _int_to_float(int(prefixed[1], 16) if prefixed[1] else int(prefixed[2], 8))
    return _WORDS.get(text, math.nan)


def _int_to_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def to_number(value: object) -> float:
    """A value as a number: null 0, true 1, false 0, text as `parse_number`; arrays and objects NaN."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return parse_number(value)
    if value is None:
        return 0.0
    if isinstance(value, int):
        return _int_to_float(value)
    return math.nan


def to_string(value: object) -> str:
    """A value as text: null "", booleans in lower case, `Array` and `Object` for what has no text.

    Numbers have at most 15 significant digits, no trailing zeros, and an exponent from 1E+15 up and below 0.0001.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_to_string(to_number(value))
    return "Array" if kind_of(value) == "array" else "Object"


def _number_to_string(value: float) -> str:
    if value == 0:
        return "0"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return format(value, ".15G")


def is_truthy(value: object) -> bool:
    """Everything but null, false, 0, -0, NaN and "" is truthy; so are empty arrays and objects."""
    if value is None or value is False or value == "":
        return False
    if isinstance(value, float):
        return not (math.isnan(value) or value == 0.0)
    return not (isinstance(value, int) and value == 0)


class _UpperCase(dict[int, int]):
    """One character to its upper case, one to one, as .NET's ordinal comparison folds it."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        upper = character.upper()
        if len(upper) != 1:
            upper = character.title()
        # Dotless i and long s would become ASCII letters: ordinal comparison keeps them apart.
        folded = ord(upper) if len(upper) == 1 and code not in (0x131, 0x17F) else code
        self[code] = folded
        return folded


_UPPER_CASE = _UpperCase()


def fold(text: str) -> str:
    """Text for comparison without regard to case: upper case, independent of any locale."""
    return text.upper() if text.isascii() else text.translate(_UPPER_CASE)


def loose_equals(left: object, right: object) -> bool:
    """The `==` of the language: numbers when the types differ, text without case, collections by identity."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right or fold(left) == fold(right)
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind == right_kind:
        return left is right if left_kind in ("array", "object") else left == right
    if "array" in (left_kind, right_kind) or "object" in (left_kind, right_kind):
        return False
    return to_number(left) == to_number(right)


def is_less(left: object, right: object) -> bool:
    """The `<` of the language; false for NaN, two nulls, arrays and objects. `>` is this with the sides swapped."""
    if isinstance(left, str) and isinstance(right, str):
        return _ordinal(fold(left)) < _ordinal(fold(right))
    left_kind, right_kind = kind_of(left), kind_of(right)
    if "array" in (left_kind, right_kind) or "object" in (left_kind, right_kind):
        return False
    return to_number(left) < to_number(right)


def _ordinal(text: str) -> bytes:
    """Text as UTF-16 code units, the order in which GitHub compares."""
    return text.encode("utf-16-be", "surrogatepass")


def lookup(mapping: Mapping[str, object], key: str, missing: object = None) -> object:
    """The value of a key, exactly if it is there, else the first key that differs in case only."""
    if key in mapping:
        return mapping[key]
    folded = fold(key)
    for candidate in mapping:
        if isinstance(cast("object", candidate), str) and fold(candidate) == folded:
            return mapping[candidate]
    return missing
