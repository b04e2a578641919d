"""Evaluation before everything is known: the value where it is certain already, else what it depends on.

This is what a plan can say of a condition before the run. Operands that decide alone decide: `false && x` is false
whatever `x` will be.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from waterflow_dsl.expressions._ast import Call, Expression, Logical, Node, Not
from waterflow_dsl.expressions._checker import PathSegment, references, walk
from waterflow_dsl.expressions._coercion import is_truthy
from waterflow_dsl.expressions._evaluator import evaluate_part
from waterflow_dsl.expressions._functions import find_function
from waterflow_dsl.expressions._parser import parse_expression


class Unknown(msgspec.Struct, frozen=True):
    """Stands for a value that only the run will know.

    Attributes:
        why: what it depends on, to stand after "depends on": `` how `build` ends ``.
        truthy: whether it will be truthy, where that is certain although the value is not; None = not certain.
    """

    why: str
    truthy: bool | None = None


PartHost = Mapping[str, Callable[..., Any] | Unknown]
"""The functions that only the caller can answer; one that cannot be answered yet is an :class:`Unknown`."""


def evaluate_in_part(expression: str, contexts: Mapping[str, object], functions: PartHost) -> object:
    """The value of an expression, written without `${{ }}`, or an :class:`Unknown`.

    Args:
        expression: the text; blank text is null.
        contexts: as for `evaluate`, with an :class:`Unknown` in place of every value, at any depth, that is not known
            yet. A context that is not here is not known.
        functions: likewise; a function that is not here is not known.

    Raises:
        ExpressionError: the expression cannot be read, or what is known of it cannot be evaluated.
    """
    parsed = parse_expression(expression)
    return None if parsed.root is None else _Part(parsed, contexts, functions).value(parsed.root)


class _Part:
    def __init__(self, expression: Expression, contexts: Mapping[str, object], functions: PartHost) -> None:
        self._expression = expression
        self._contexts = contexts
        self._functions = functions

    def value(self, node: Node) -> object:
        missing = self._missing(node)
        if missing is None:
            known = {name: answer for name, answer in self._functions.items() if not isinstance(answer, Unknown)}
            return evaluate_part(self._expression, node, self._contexts, known)
        if isinstance(node, Not):
            return self._negated(node)
        return self._logical(node, missing) if isinstance(node, Logical) else missing

    def _negated(self, node: Not) -> object:
        inner = self.value(node.operand)
        if isinstance(inner, Unknown):
            return inner if inner.truthy is None else not inner.truthy
        return not is_truthy(inner)

    def _logical(self, node: Logical, missing: Unknown) -> object:
        """`&&` is decided by its first falsy operand, `||` by its first truthy one."""
        decides = node.operator == "||"
        first: Unknown | None = None
        value: object = missing
        for operand in node.operands:
            value = self.value(operand)
            truth = value.truthy if isinstance(value, Unknown) else is_truthy(value)
            if truth is decides:
                # An unknown operand before it may be the value, but then it decides in the same way.
                return value if first is None else Unknown(first.why, truthy=decides)
            if truth is None and first is None and isinstance(value, Unknown):
                first = value
        return value if first is None else first

    def _missing(self, node: Node) -> Unknown | None:
        """What a node needs and is not known; None when all is."""
        part = msgspec.structs.replace(self._expression, root=node)
        for reference in references(part):
            found = self._unknown_at(reference.path)
            if found is not None:
                return found
        for call in (each for each in walk(part) if isinstance(each, Call)):
            function = find_function(call.name, part.dialect)
            if function is not None and function.hosted:
                answer = self._functions.get(function.name, Unknown(f"`{function.name}()`"))
                if isinstance(answer, Unknown):
                    return answer
        return None

    def _unknown_at(self, path: tuple[PathSegment, ...]) -> Unknown | None:
        value: object = _entry(self._contexts, str(path[0]), Unknown(f"`{path[0]}`"))
        for segment in path[1:]:
            if segment is None or isinstance(value, Unknown):
                break
            value = _inner(value, segment)
        return _find(value)


def _entry(mapping: Mapping[str, object], key: str, missing: object) -> object:
    """The value of a key as expressions find it: exactly, else without regard to case."""
    if key in mapping:
        return mapping[key]
    folded = key.casefold()
    return next((value for name, value in mapping.items() if name.casefold() == folded), missing)


def _inner(value: object, segment: str | int) -> object:
    if isinstance(value, Mapping):
        return _entry(cast("Mapping[str, object]", value), str(segment), None)
    if isinstance(value, list) and isinstance(segment, int):
        items = cast("list[object]", value)
        return items[segment] if 0 <= segment < len(items) else None
    return None


def _find(value: object) -> Unknown | None:
    """The first unknown in a value."""
    if isinstance(value, Unknown):
        return value
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    return next((found for each in inner if (found := _find(each))), None)
