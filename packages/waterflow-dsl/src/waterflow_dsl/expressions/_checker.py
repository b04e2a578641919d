"""What can be said of an expression without evaluating it: names, functions, arity, format strings."""

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches

import msgspec

from waterflow_dsl.expressions._ast import (
    Call,
    Context,
    Dialect,
    Expression,
    Index,
    Literal,
    Node,
    Span,
    Wildcard,
    children,
)
from waterflow_dsl.expressions._coercion import fold
from waterflow_dsl.expressions._errors import ExpressionError, located
from waterflow_dsl.expressions._format import format_problem
from waterflow_dsl.expressions._functions import FUNCTIONS, find_function

PathSegment = str | int | None
"""A step of a static path: a key, an index, or None where only evaluation can tell (a wildcard or an expression)."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A context and how far into it an expression reads.

    `needs.build.outputs[vars.key].url` is the path `("needs", "build", "outputs", None, "url")`, with one span for
    each segment, and `vars.key` is a reference of its own.
    """

    path: tuple[PathSegment, ...]
    spans: tuple[Span, ...]
    span: Span


def nearest(name: str, candidates: Collection[str]) -> str | None:
    """The candidate that `name` was probably meant to be, or None when nothing is near."""
    by_folded = {fold(candidate): candidate for candidate in candidates}
    found = get_close_matches(fold(name), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


class NameRules:
    """The contexts and functions that exist at one place.

    Args:
        text: the expression, for messages.
        dialect: whose functions exist.
        names: the contexts; None allows every name.
        functions: which of the functions that the caller answers are allowed here; None allows all.
        bare: which functions take no arguments here.
    """

    def __init__(
        self,
        text: str,
        dialect: Dialect,
        names: Collection[str] | None,
        functions: Collection[str] | None,
        bare: Collection[str] = (),
    ) -> None:
        self._bare = bare
        self._text = text
        self._dialect: Dialect = dialect
        self._names = names
        self._functions = None if functions is None else {function.lower() for function in functions}
        self._folded = None if names is None else {fold(name) for name in names}

    def context(self, node: Context) -> ExpressionError | None:
        """The error of a context that does not exist here."""
        if self._folded is None or self._names is None or fold(node.name) in self._folded:
            return None
        return self._error("Unrecognized named-value", node.name, node.span, nearest(node.name, self._names))

    def function(self, name: str, span: Span) -> ExpressionError | None:
        """The error of a function that does not exist here."""
        if self._exists(name):
            return None
        spelled = [known for known in FUNCTIONS if self._exists(known)]
        return self._error("Unrecognized function", name, span, nearest(name, spelled))

    def call(self, node: Call) -> ExpressionError | None:
        """The error of a call with the wrong number of arguments or a bad format string."""
        function = find_function(node.name, self._dialect)
        if function is None:
            return None
        count = len(node.arguments)
        if count < function.minimum:
            return self._error("Too few parameters supplied", node.name, node.name_span)
        if count > (0 if function.name in self._bare else function.maximum):
            return self._error("Too many parameters supplied", node.name, node.name_span)
        if function.name == "case" and count % 2 == 0:
            description = "Even number of parameters supplied, requires an odd number of parameters"
            return self._error(description, node.name, node.name_span)
        return self._format_string(node) if function.name == "format" else None

    def _format_string(self, node: Call) -> ExpressionError | None:
        template = node.arguments[0]
        if self._dialect == "github":  # GitHub finds these mistakes when the expression is evaluated
            return None
        if not isinstance(template, Literal) or not isinstance(template.value, str):
            return None
        problem = format_problem(template.value, len(node.arguments) - 1)
        if problem is None:
            return None
        description = problem if problem.startswith("Format") else f"{problem}: '{node.name}'"
        return located("parsing", description, node.name_span.start, self._text)

    def _exists(self, name: str) -> bool:
        function = find_function(name, self._dialect)
        if function is None or not function.hosted:
            return function is not None
        return self._functions is None or function.name.lower() in self._functions

    def _error(self, description: str, name: str, span: Span, suggestion: str | None = None) -> ExpressionError:
        return located("parsing", f"{description}: '{name}'", span.start, self._text, suggestion=suggestion)


def check_expression(
    expression: Expression,
    *,
    names: Collection[str] | None = None,
    functions: Collection[str] | None = None,
    bare: Collection[str] = (),
    on_reference: Callable[[tuple[PathSegment, ...], Span], None] | None = None,
) -> list[ExpressionError]:
    """Every mistake of an expression that can be known before it is evaluated, in source order.

    Args:
        expression: a parsed expression.
        names: the contexts allowed here; None allows every name.
        functions: which functions that the caller answers (`success`, `hashFiles`, `now`, …) are allowed here; None
            allows all. The other functions are always allowed.
        bare: which functions take no arguments here, whatever they take elsewhere.
        on_reference: told of every context that is read, with its static path.
    """
    rules = NameRules(expression.text, expression.dialect, names, functions, bare)
    errors: list[ExpressionError | None] = []
    for node in walk(expression):
        if isinstance(node, Context):
            errors.append(rules.context(node))
        elif isinstance(node, Call):
            errors.append(rules.function(node.name, node.name_span) or rules.call(node))
    if on_reference is not None:
        for reference in references(expression):
            on_reference(reference.path, reference.span)
    return sorted((error for error in errors if error is not None), key=lambda error: error.position)


def walk(expression: Expression) -> Iterator[Node | Wildcard]:
    """Every node of an expression, parents first."""
    pending: list[Node | Wildcard] = [] if expression.root is None else [expression.root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))


def called_functions(expression: Expression) -> frozenset[str]:
    """The documented spelling of every function that an expression calls."""
    calls = (node for node in walk(expression) if isinstance(node, Call))
    found = (find_function(call.name, expression.dialect) for call in calls)
    return frozenset(function.name for function in found if function is not None)


def references(expression: Expression) -> list[Reference]:
    """Every context that an expression reads, in source order, each as deep as its path goes."""
    found: list[Reference] = []
    inner: set[int] = set()
    for node in walk(expression):
        if isinstance(node, Context | Index) and id(node) not in inner:
            _follow(node, inner, found)
    return sorted(found, key=lambda reference: reference.span.start)


def _follow(node: Context | Index, inner: set[int], found: list[Reference]) -> None:
    """Go down a chain of indices to its context; `inner` keeps its parts from being reported again."""
    path: list[PathSegment] = []
    spans: list[Span] = []
    at: Node = node
    while isinstance(at, Index):
        path.append(_segment(at.key))
        spans.append(at.key.span)
        at = at.target
        inner.add(id(at))
    if isinstance(at, Context):
        segments = (at.name, *reversed(path))
        found.append(Reference(path=segments, spans=(at.span, *reversed(spans)), span=node.span))


def _segment(key: Node | Wildcard) -> PathSegment:
    if not isinstance(key, Literal):
        return None
    if isinstance(key.value, float) and key.value.is_integer():
        return int(key.value)
    return key.value if isinstance(key.value, str) else None
