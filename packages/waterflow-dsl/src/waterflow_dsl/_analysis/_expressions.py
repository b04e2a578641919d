"""The expressions of a scalar: syntax, names, functions, references; every finding at its own column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from waterflow_dsl._analysis._references import check_reference
from waterflow_dsl._analysis._shapes import NOT_HERE, Shape
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report, Span, did_you_mean
from waterflow_dsl._schema._places import GITHUB_CONTEXTS
from waterflow_dsl._schema._types import Place
from waterflow_dsl._source import Scalar, SourceText
from waterflow_dsl._source._position import Positions
from waterflow_dsl.expressions import (
    FUNCTIONS,
    MAX_LENGTH,
    STATUS_FUNCTIONS,
    ExpressionError,
    ExpressionSegment,
    LiteralSegment,
    Reference,
    Template,
    called_functions,
    check_expression,
    parse_expression,
    parse_template,
    references,
)
from waterflow_dsl.model import Site

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


class Scope:
    """What exists at one place: shapes by context, and the names given by ``as``."""

    def __init__(self, contexts: Mapping[str, Shape], aliases: frozenset[str] = frozenset()) -> None:
        self.contexts = contexts
        self.aliases = aliases
        self._absent = frozenset(name for name, shape in contexts.items() if shape is NOT_HERE)
        self._names: dict[int, frozenset[str]] = {}

    def with_contexts(self, more: Mapping[str, Shape], aliases: frozenset[str] = frozenset()) -> Scope:
        """The same with more."""
        return Scope({**self.contexts, **more}, self.aliases | aliases)

    def names(self, place: Place, dialect: Dialect) -> frozenset[str]:
        """The contexts that exist under the rules of a field."""
        known = self._names.get(id(place))
        if known is None:
            allowed = place.contexts & GITHUB_CONTEXTS if dialect == "github" else place.contexts
            known = self._names[id(place)] = (allowed - self._absent) | self.aliases
        return known


class _Facts(msgspec.Struct, frozen=True):
    """What an expression is by itself: its mistakes, what it reads and what it calls."""

    errors: tuple[ExpressionError, ...]
    references: tuple[Reference, ...] = ()
    functions: frozenset[str] = frozenset()
    whole: tuple[int, int] | None = None
    """From where to where the expression goes, without the blanks and parentheses around it."""


@lru_cache(maxsize=4096)
def _examine(
    text: str, dialect: Dialect, names: frozenset[str], functions: frozenset[str], bare: frozenset[str]
) -> _Facts:
    try:
        expression = parse_expression(text, dialect=dialect)
    except ExpressionError as error:
        return _Facts((error,))
    errors = tuple(check_expression(expression, names=names, functions=functions, bare=bare))
    called = called_functions(expression) if "(" in text else frozenset[str]()
    whole = (expression.root.span.start, expression.root.span.end) if expression.root else None
    return _Facts(errors, tuple(references(expression)), called, whole)


class Inspector:
    """Judges the expressions of one file. ``opaque``: see ``opaque_secrets``."""

    def __init__(
        self, source: SourceText, report: Report, dialect: Dialect, opaque: Mapping[str, str] | None = None
    ) -> None:
        self._opaque = opaque or {}
        self._positions = Positions(source)
        self._report = report
        self._dialect: Dialect = dialect
        self.secrets: set[str] = set()
        """Names of the secrets that any expression reads."""

    def inspect(self, site: Site, scope: Scope) -> None:
        """Report every mistake in the expressions of a scalar."""
        if self._report.full:
            return
        text = str(site.node.value) if isinstance(site.node.value, str) else site.node.text
        if site.bare and "${{" not in text:
            start = len(text) - len(text.lstrip())
            self._expression(site, scope, text.strip(), start)
            return
        try:
            template = parse_template(text)
        except ExpressionError as error:
            self._error(site, error, error.offset, error.offset + 3)
            return
        if site.bare and not self._whole(site, text):
            return
        if self._dialect == "github" and _joined_length(template) > MAX_LENGTH:
            message = f"Exceeded max expression length {MAX_LENGTH}"
            hint = "GitHub makes one expression of a text with expressions: move them into `env`"
            self._report.add(Code.EXPRESSION_LEXING, self._scalar_place(site.node), message, path=site.path, hint=hint)
            return
        for segment in template.segments:
            if isinstance(segment, ExpressionSegment) and not self._report.full:
                self._expression(site, scope, segment.expression, segment.offset)

    def _whole(self, site: Site, text: str) -> bool:
        whole = parse_template(text.strip()).whole is not None
        if not whole and self._dialect == "waterflow":
            name = site.path.rpartition(".")[2]
            message = f"`{name}` is text around an expression, and a text is always true"
            hint = "write one expression: `a && b`, with or without `${{ }}` around all of it"
            self._report.add(Code.CONDITION_FORM, self._scalar_place(site.node), message, path=site.path, hint=hint)
        return whole or self._dialect == "github"

    def _expression(self, site: Site, scope: Scope, text: str, offset: int) -> None:
        place = site.field.place
        if place is None:
            return
        names = scope.names(place, self._dialect)
        facts = _examine(text, self._dialect, names, place.functions, place.bare)
        for error in facts.errors:
            start = offset + error.position - 1
            self._error(site, error, start, start + _token_length(text, error.position - 1), names)
        unknown = {error.position for error in facts.errors}
        for reference in facts.references:
            context, *names_read = reference.path
            if str(context).lower() == "secrets":
                self.secrets.update(name for name in names_read[:1] if isinstance(name, str))
                if self._opaque:
                    self._check_opaque(site, reference, facts.whole, offset)
            if reference.span.start not in unknown:
                self._reference(site, scope, reference, offset)
        if self._dialect == "waterflow":
            self._note_extensions(site, facts.functions)

    def _reference(self, site: Site, scope: Scope, reference: Reference, offset: int) -> None:
        finding = check_reference(reference, scope.contexts, self._report)
        if finding is not None:
            start, end = offset + finding.span.start - 1, offset + finding.span.end - 1
            place = self._positions.span(site.node, start, end)
            self._report.add(finding.code, place, finding.message, path=site.path, hint=finding.hint)

    def _check_opaque(self, site: Site, reference: Reference, whole: tuple[int, int] | None, offset: int) -> None:
        """A secret that the agent reads stands alone or in a text: whatever else was done would be done to a segment
        that only stands for it."""
        name = reference.path[1] if len(reference.path) > 1 else None
        alone = whole == (reference.span.start, reference.span.end) and len(reference.path) == 2 and not site.bare
        if isinstance(name, str) and (alone or name.lower() not in self._opaque):
            return
        if name is None:
            message = f"all secrets at once cannot be read: `{min(self._opaque.values())}` is only known to the agent"
            hint = "read each by its name: `secrets.NAME`"
        else:
            message = f"`secrets.{name}` is only known to the agent: no function or operator takes it"
            hint = f"`${{{{ secrets.{name} }}}}` may stand alone or in a text; or declare it with `on: server`"
        start, end = offset + reference.span.start - 1, offset + reference.span.end - 1
        self._report.add(
            Code.OPAQUE_SECRET, self._positions.span(site.node, start, end), message, path=site.path, hint=hint
        )

    def _note_extensions(self, site: Site, functions: frozenset[str]) -> None:
        for name in sorted(functions):
            if FUNCTIONS[name].extension:
                message = f"`{name}` is Waterflow's own function; GitHub does not have it"
                self._report.add(Code.EXTENSION, self._scalar_place(site.node), message, path=site.path)

    def _error(
        self, site: Site, error: ExpressionError, start: int, end: int, names: frozenset[str] = frozenset()
    ) -> None:
        hint = did_you_mean(error.suggestion)
        if "${{" in error.message and error.kind == "lexing":
            hint = "expressions do not nest: remove the inner `${{ }}`"
        if hint is None and error.message.startswith("Unrecognized function") and _is_status(error.message):
            hint = "status functions belong into `if`"
        if hint is None and error.message.startswith("Unrecognized named-value"):
            hint = "available here: " + ", ".join(sorted(names))
        place = self._positions.span(site.node, start, end)
        self._report.add(_code(error), place, error.message, path=site.path, hint=hint)

    def _scalar_place(self, node: Scalar) -> Span:
        same = node.end_line == node.line
        return Span(node.line, node.column, node.line, node.end_column if same else node.column + 1)


def _joined_length(template: Template) -> int:
    """The length of the one call of ``format`` that GitHub makes of a text around expressions; 0 of all else."""
    expressions = template.expressions
    if not expressions or template.whole is not None:
        return 0
    length = len("format('')")
    for index, segment in enumerate(expressions):
        length += len(f"{{{index}}}, ") + len(segment.expression)
    return length + sum(
        len(each.text) + sum(map(each.text.count, "'{}"))
        for each in template.segments
        if isinstance(each, LiteralSegment)
    )


def _is_status(message: str) -> bool:
    return any(f"'{name}'" in message.lower() for name in STATUS_FUNCTIONS)


def _code(error: ExpressionError) -> Code:
    if error.kind == "lexing":
        return Code.EXPRESSION_LEXING
    if error.message.startswith("Unrecognized named-value"):
        return Code.CONTEXT_NOT_HERE
    return Code.UNKNOWN_FUNCTION if error.message.startswith("Unrecognized function") else Code.EXPRESSION_SYNTAX


def _token_length(text: str, start: int) -> int:
    found = _NAME.match(text, start)
    return len(found.group()) if found else 1
