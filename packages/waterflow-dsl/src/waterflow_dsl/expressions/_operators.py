"""Operators over compiled operands."""

from collections.abc import Callable
from typing import Final

from waterflow_dsl.expressions._ast import Comparator
from waterflow_dsl.expressions._coercion import fold, is_less, is_truthy, loose_equals
from waterflow_dsl.expressions._frame import Frame

Evaluate = Callable[[Frame], object]
"""A compiled node: its value in a frame."""


def logical(conjunction: bool, operands: list[Evaluate]) -> Evaluate:
    """The first operand that decides, else the last one."""
    *leading, last = operands

    def decide(frame: Frame) -> object:
        for operand in leading:
            value = operand(frame)
            if is_truthy(value) is not conjunction:
                return value
        return last(frame)

    return decide


def equals_text(left: Evaluate, text: str, equal: bool) -> Evaluate:
    """`== 'text'` and `!= 'text'`, the most frequent comparisons: the literal is folded once."""
    folded = fold(text)

    def compare(frame: Frame) -> bool:
        value = left(frame)
        if type(value) is str:
            return (value == text or fold(value) == folded) is equal
        return loose_equals(value, text) is equal

    return compare


def _equal(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: loose_equals(left(frame), right(frame))


def _unequal(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: not loose_equals(left(frame), right(frame))


def _less(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: is_less(left(frame), right(frame))


def _greater(left: Evaluate, right: Evaluate) -> Evaluate:
    def compare(frame: Frame) -> bool:
        first = left(frame)
        return is_less(right(frame), first)

    return compare


def _at_most(left: Evaluate, right: Evaluate) -> Evaluate:
    def compare(frame: Frame) -> bool:
        first, second = left(frame), right(frame)
        return loose_equals(first, second) or is_less(first, second)

    return compare


def _at_least(left: Evaluate, right: Evaluate) -> Evaluate:
    def compare(frame: Frame) -> bool:
        first, second = left(frame), right(frame)
        return loose_equals(first, second) or is_less(second, first)

    return compare


COMPARISONS: Final[dict[Comparator, Callable[[Evaluate, Evaluate], Evaluate]]] = {
    "==": _equal,
    "!=": _unequal,
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
}
"""What each comparison makes of its two sides."""
