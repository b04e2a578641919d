"""What a plain scalar means: the core schema of YAML 1.2 (chapter 10.3.2), so ``on``, ``yes`` and ``off`` are text."""

from __future__ import annotations

import math
import re

from waterflow_dsl._source._tree import ScalarValue

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_FIRST = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_SAFE_DIGITS = 15


def resolve(text: str) -> ScalarValue:
    """The value of a plain scalar. Long integers become floats, as in GitHub's language; may be infinite or NaN."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST:
        return text
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _SAFE_DIGITS else float(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _special(text)


def _special(text: str) -> ScalarValue:
    if _HEXADECIMAL.fullmatch(text):
        return _whole(text[2:], 16)
    if _OCTAL.fullmatch(text):
        return _whole(text[2:], 8)
    if _INFINITY.fullmatch(text):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan if text in _NAN else text


def _whole(digits: str, base: int) -> float | int:
    if len(digits) > 256:
        return math.inf
    number = int(digits, base)
    return number if number < 2**53 else float(number)
