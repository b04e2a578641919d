"""Conditions: the bare expression, and the implicit ``success()``."""

from __future__ import annotations

from functools import lru_cache

from waterflow_dsl.expressions import (
    STATUS_FUNCTIONS,
    ExpressionSegment,
    called_functions,
    parse_expression,
    parse_template,
)


@lru_cache(maxsize=4096)
def bare(text: str) -> str | None:
    """The expression of a condition, written with or without ``${{ }}``; None for text around expressions.

    Raises:
        ExpressionError: a ``${{`` that is not closed.
    """
    if "${{" not in text:
        return text.strip()
    template = parse_template(text.strip())
    return None if template.whole is None else template.whole.expression


@lru_cache(maxsize=4096)
def with_success(text: str | None) -> str:
    """The condition of a step or job: ``success() && (…)`` unless a status function is called."""
    if text is None:
        return "success()"
    expression = plain(text)
    if not expression:
        return "success()"
    return expression if _asks_status(expression) else f"success() && ({expression})"


def _asks_status(expression: str) -> bool:
    """Whether a status function is called; the name alone may also stand in a text, so only then it is parsed."""
    folded = expression.lower()
    if not any(name in folded for name in STATUS_FUNCTIONS):
        return False
    return not STATUS_FUNCTIONS.isdisjoint(called_functions(parse_expression(expression)))


def plain(text: str) -> str:
    """The bare expression of a condition that was checked; text around expressions becomes GitHub's ``format(…)``."""
    expression = bare(text)
    return _as_format(text.strip()) if expression is None else expression


def _as_format(text: str) -> str:
    pieces: list[str] = []
    arguments: list[str] = []
    for segment in parse_template(text).segments:
        if isinstance(segment, ExpressionSegment):
            pieces.append(f"{{{len(arguments)}}}")
            arguments.append(segment.expression)
        else:
            pieces.append(segment.text.replace("{", "{{").replace("}", "}}").replace("'", "''"))
    return f"format('{''.join(pieces)}', {', '.join(arguments)})"
