"""A syntax tree to a value.

A tree is compiled once to nested closures, because a workflow evaluates the same few expressions for every job, step
and iteration. Compiling has no effect but the closure, and evaluating reads nothing but its frame.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

import msgspec

from waterflow_dsl.expressions._access import FilteredArray, filter_value, index_value
from waterflow_dsl.expressions._ast import (
    Call,
    Comparison,
    Context,
    Dialect,
    Expression,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
)
from waterflow_dsl.expressions._checker import NameRules, check_expression, walk
from waterflow_dsl.expressions._coercion import is_truthy, lookup
from waterflow_dsl.expressions._errors import ExpressionError, MemoryLimitError, RefusalError
from waterflow_dsl.expressions._frame import NO_HOST, Frame, FunctionHost
from waterflow_dsl.expressions._functions import find_function
from waterflow_dsl.expressions._operators import COMPARISONS, Evaluate, equals_text, logical
from waterflow_dsl.expressions._parser import Parser, parse_expression

_SHORT = 1000


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled expression: its closure, the contexts it reads and the functions its caller must answer."""

    run: Evaluate
    names: tuple[str, ...]
    hosted: tuple[str, ...]


def evaluate(
    expression: str,
    contexts: Mapping[str, object],
    *,
    dialect: Dialect = "waterflow",
    functions: FunctionHost | None = None,
) -> object:
    """The value of an expression, written without `${{ }}`.

    Args:
        expression: the text; blank text is null.
        contexts: every context that exists, by name. A name that is not here is an error; a key that a context does
            not have is null. Values are None, booleans, numbers, text, lists and mappings with text keys.
        dialect: `github` switches Waterflow's own functions off.
        functions: the functions that only the caller can answer, by documented name. One that is absent does not
            exist.

    Returns:
        None, bool, float, str, list or dict. Lists and dicts may be parts of `contexts`: do not change them.

    Raises:
        ExpressionError: the expression cannot be read or evaluated.
    """
    host = NO_HOST if functions is None else functions
    try:
        program = _program(expression, dialect)
    except ExpressionError:
        _refuse(expression, dialect, contexts, host)
        raise
    for name in program.names:
        if name not in contexts:
            _refuse(expression, dialect, contexts, host)
    for name in program.hosted:
        if name not in host:
            _refuse(expression, dialect, contexts, host)
    value = program.run(Frame(contexts, host))
    if type(value) is int:
        return float(value)
    return list(value) if type(value) is FilteredArray else value


def evaluate_part(
    expression: Expression, node: Node, contexts: Mapping[str, object], functions: FunctionHost
) -> object:
    """The value of one node of an expression whose contexts and functions are all there; as `evaluate` otherwise."""
    value = _Compiler(msgspec.structs.replace(expression, root=node)).run()(Frame(contexts, functions))
    if type(value) is int:
        return float(value)
    return list(value) if type(value) is FilteredArray else value


def _program(text: str, dialect: Dialect) -> Program:
    return (_short_program if len(text) <= _SHORT else _long_program)(text, dialect)


def _compile_program(text: str, dialect: Dialect) -> Program:
    expression = parse_expression(text, dialect=dialect)
    errors = check_expression(expression)
    if errors:
        raise errors[0]
    nodes = list(walk(expression))
    names = {node.name for node in nodes if isinstance(node, Context)}
    functions = {find_function(node.name, dialect) for node in nodes if isinstance(node, Call)}
    hosted = {function.name for function in functions if function is not None and function.hosted}
    return Program(run=_Compiler(expression).run(), names=tuple(sorted(names)), hosted=tuple(sorted(hosted)))


# Short and long ones apart: enormous expressions can neither fill the memory nor crowd out the usual ones.
_short_program = lru_cache(maxsize=1024)(_compile_program)
_long_program = lru_cache(maxsize=16)(_compile_program)


def _refuse(text: str, dialect: Dialect, contexts: Mapping[str, object], host: FunctionHost) -> None:
    """Raise for the first mistake in reading order, a name that does not exist included.

    The cached program knows no contexts, so its error can lie behind an unknown name; GitHub reports what comes first.
    """
    Parser(text, NameRules(text, dialect, list(contexts), list(host))).parse(dialect)


class _Compiler:
    def __init__(self, expression: Expression) -> None:
        self._text = expression.text
        self._dialect: Dialect = expression.dialect
        self._root = expression.root

    def run(self) -> Evaluate:
        return _constant(None) if self._root is None else self._compile(self._root)

    def _compile(self, node: Node) -> Evaluate:
        match node:
            case Literal():
                return _constant(node.value)
            case Context():
                return _context(node.name)
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
            case Not():
                operand = self._compile(node.operand)
                return lambda frame: not is_truthy(operand(frame))
            case Comparison():
                return self._comparison(node)
            case Logical():
                return logical(node.operator == "&&", [self._compile(operand) for operand in node.operands])

    def _index(self, node: Index) -> Evaluate:
        target = self._compile(node.target)
        if isinstance(node.key, Wildcard):
            return self._guarded(node, lambda frame: filter_value(frame, target(frame)))
        if isinstance(node.key, Literal) and isinstance(node.key.value, str):
            return self._property(node, target, node.key.value)
        key = self._compile(node.key)
        return self._guarded(node, lambda frame: index_value(frame, target(frame), key(frame)))

    def _property(self, node: Index, target: Evaluate, key: str) -> Evaluate:
        place = self._place(node)

        def read(frame: Frame) -> object:
            holder = target(frame)
            # Nearly every property is read from a dict that has the key as written.
            if type(holder) is dict and key in holder:
                return holder[key]  # pyright: ignore[reportUnknownVariableType]
            try:
                return index_value(frame, holder, key)  # pyright: ignore[reportUnknownArgumentType]
            except MemoryLimitError as problem:
                raise place.error(problem) from None

        return read

    def _comparison(self, node: Comparison) -> Evaluate:
        left, right = self._compile(node.left), self._compile(node.right)
        if isinstance(node.right, Literal) and isinstance(node.right.value, str) and node.operator in ("==", "!="):
            return equals_text(left, node.right.value, node.operator == "==")
        return COMPARISONS[node.operator](left, right)

    def _call(self, node: Call) -> Evaluate:
        function = find_function(node.name, self._dialect)
        arguments = [self._compile(argument) for argument in node.arguments]
        if function is None or function.hosted:
            return _hosted(node.name, arguments)
        if function.implementation is None:
            return self._guarded(node, lambda frame: _case(frame, arguments))
        return self._guarded(node, _applied(function.implementation, arguments))

    def _guarded(self, node: Node, evaluate_node: Evaluate) -> Evaluate:
        """Give the errors of a function or an index their place."""
        place = self._place(node)

        def run(frame: Frame) -> object:
            try:
                return evaluate_node(frame)
            except (RefusalError, MemoryLimitError) as problem:
                raise place.error(problem) from None

        return run

    def _place(self, node: Node) -> "_Place":
        return _Place(node.span.of(self._text), node.span.start)


class _Place(msgspec.Struct, frozen=True):
    """Where in an expression something can go wrong."""

    source: str
    position: int

    def error(self, problem: RefusalError | MemoryLimitError) -> ExpressionError:
        """The problem as the error that the caller sees."""
        if isinstance(problem, RefusalError):
            return ExpressionError("evaluation", str(problem), self.position)
        message = "The maximum allowed memory size was exceeded while evaluating the following expression: "
        return ExpressionError("evaluation", message + self.source, self.position)


def _constant(value: object) -> Evaluate:
    return lambda _frame: value


def _context(name: str) -> Evaluate:
    def read(frame: Frame) -> object:
        contexts = frame.contexts
        return contexts[name] if name in contexts else lookup(contexts, name)

    return read


def _applied(implementation: Callable[..., object], arguments: list[Evaluate]) -> Evaluate:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda frame: implementation(frame, only(frame))
    return lambda frame: implementation(frame, *[argument(frame) for argument in arguments])


def _hosted(name: str, arguments: list[Evaluate]) -> Evaluate:
    def run(frame: Frame) -> object:
        answer = cast("Callable[..., object]", lookup(frame.functions, name))
        return answer(*[argument(frame) for argument in arguments])

    return run


def _case(frame: Frame, arguments: list[Evaluate]) -> object:
    """Evaluates no more than it needs: neither later predicates nor the values behind false ones."""
    for predicate, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
        chosen = predicate(frame)
        if not isinstance(chosen, bool):
            raise RefusalError("case predicate must evaluate to a boolean value")
        if chosen:
            return value(frame)
    return arguments[-1](frame)
