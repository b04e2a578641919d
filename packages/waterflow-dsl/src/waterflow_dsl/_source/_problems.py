"""YAML reader errors in words that help."""

from __future__ import annotations

from typing import Any

import yaml

from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, Span
from waterflow_dsl._source._text import SourceText

_HINTS = {
    "mapping values are not allowed": "a text that holds `: ` needs quotes; else look at the indentation",
    "did not find expected key": "the indentation differs from the lines above, or a quote is not closed",
    "could not find expected ':'": "write `key: value`; a text over several lines needs `|`",
    "did not find expected '-' indicator": "list entries start with `- ` in one column",
    "did not find expected ',' or": "close the bracket or add a comma; a text that holds `{` or `[` needs quotes",
    "expected ',' or": "close the bracket or add a comma; a text that holds `{` or `[` needs quotes",
    "found unexpected end of stream": "a quote or a bracket is not closed",
    "found undefined alias": "a text that starts with `*` needs quotes",
    "did not find expected alphabetic": "a text that starts with `*` or `&` needs quotes",
    "found unknown escape": "in double quotes `\\` starts an escape; use single quotes",
}


def report_problem(error: yaml.YAMLError, source: SourceText, report: Report) -> None:
    """One diagnostic for the place where the YAML reader gave up."""
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    place = Span(line, column, line, column + 1)
    if mark and source.text[mark.index : mark.index + 1] == "\t":
        report.add(Code.TAB, place, "a tab is not allowed here", hint="indent with spaces")
        return
    context = str(getattr(error, "context", None) or "")
    start: Any = getattr(error, "context_mark", None)
    since = f" that starts in line {start.line + 1}" if start and mark and start.line != mark.line else ""
    message = f"not valid YAML: {problem}" + (f", {context}{since}" if context else "")
    hint = next((hint for part, hint in _HINTS.items() if part in problem), None)
    report.add(Code.NOT_YAML, place, message, hint=hint)
