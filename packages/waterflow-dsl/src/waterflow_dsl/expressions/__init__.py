"""The expression language: GitHub's, exactly, and a few functions of our own.

`evaluate` takes an expression, `interpolate` a text with `${{ }}` in it. `parse_expression`, `parse_template` and
`check_expression` are the same pieces for tools that must not evaluate. Everything here is pure: no clock, no
randomness, no I/O; the same input gives the same value in every process.
"""

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
    Span,
    Wildcard,
)
from waterflow_dsl.expressions._checker import (
    PathSegment,
    Reference,
    called_functions,
    check_expression,
    nearest,
    references,
    walk,
)
from waterflow_dsl.expressions._coercion import is_truthy, loose_equals, to_number, to_string
from waterflow_dsl.expressions._errors import ErrorKind, ExpressionError
from waterflow_dsl.expressions._evaluator import evaluate
from waterflow_dsl.expressions._frame import MAX_MEMORY, FunctionHost
from waterflow_dsl.expressions._functions import FUNCTIONS, STATUS_FUNCTIONS, FunctionInfo, find_function
from waterflow_dsl.expressions._lexer import MAX_LENGTH
from waterflow_dsl.expressions._parser import MAX_DEPTH, parse_expression
from waterflow_dsl.expressions._partial import PartHost, Unknown, evaluate_in_part
from waterflow_dsl.expressions._template import (
    ExpressionSegment,
    LiteralSegment,
    Template,
    interpolate,
    parse_template,
)

__all__ = [
    "FUNCTIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_MEMORY",
    "STATUS_FUNCTIONS",
    "Call",
    "Comparison",
    "Context",
    "Dialect",
    "ErrorKind",
    "Expression",
    "ExpressionError",
    "ExpressionSegment",
    "FunctionHost",
    "FunctionInfo",
    "Index",
    "Literal",
    "LiteralSegment",
    "Logical",
    "Node",
    "Not",
    "PartHost",
    "PathSegment",
    "Reference",
    "Span",
    "Template",
    "Unknown",
    "Wildcard",
    "called_functions",
    "check_expression",
    "evaluate",
    "evaluate_in_part",
    "find_function",
    "interpolate",
    "is_truthy",
    "loose_equals",
    "nearest",
    "parse_expression",
    "parse_template",
    "references",
    "to_number",
    "to_string",
    "walk",
]
