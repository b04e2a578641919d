"""Text with expressions in it.

Source: GitHub's workflow syntax: a scalar that is one `${{ }}` and nothing else keeps the value's type; among other
text every value becomes text.
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from waterflow_dsl.expressions._ast import Dialect
from waterflow_dsl.expressions._coercion import to_string
from waterflow_dsl.expressions._errors import ExpressionError
from waterflow_dsl.expressions._evaluator import evaluate
from waterflow_dsl.expressions._frame import MAX_MEMORY, FunctionHost

_OPEN = "${{"
_CLOSE = "}}"
_SHORT = 1000


class LiteralSegment(msgspec.Struct, frozen=True, kw_only=True):
    """Text that stands for itself; `start` is its 0-based offset in the template."""

    text: str
    start: int


class ExpressionSegment(msgspec.Struct, frozen=True, kw_only=True):
    """One `${{ }}`.

    Attributes:
        expression: the text between the braces, without the white space around it.
        start: 0-based offset of `${{` in the template.
        end: 0-based offset behind `}}`.
        offset: 0-based offset of the expression itself: position `p` in it is character `offset + p`, counted from 1.
    """

    expression: str
    start: int
    end: int
    offset: int


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A text in segments; adjacent expressions have no literal between them."""

    text: str
    segments: tuple[LiteralSegment | ExpressionSegment, ...]

    @property
    def expressions(self) -> tuple[ExpressionSegment, ...]:
        """The expressions alone."""
        return tuple(segment for segment in self.segments if isinstance(segment, ExpressionSegment))

    @property
    def whole(self) -> ExpressionSegment | None:
        """The expression, when the template is one and nothing else."""
        first = self.segments[0] if len(self.segments) == 1 else None
        return first if isinstance(first, ExpressionSegment) else None


def parse_template(text: str) -> Template:
    """The segments of a text; the expressions themselves are not parsed yet.

    Raises:
        ExpressionError: of kind `parsing`, for a `${{` that is not closed or has nothing in it; its `offset` and
            `position` give the place of the `${{`.
    """
    # A long text is read again each time: kept, a thousand scripts of a megabyte would fill the memory.
    return _cached_template(text) if len(text) <= _SHORT else _read_template(text)


def _read_template(text: str) -> Template:
    segments: list[LiteralSegment | ExpressionSegment] = []
    at = 0
    while (start := text.find(_OPEN, at)) >= 0:
        if start > at:
            segments.append(LiteralSegment(text=text[at:start], start=at))
        segment = _expression_segment(text, start)
        segments.append(segment)
        at = segment.end
    if at < len(text) or not segments:
        segments.append(LiteralSegment(text=text[at:], start=at))
    return Template(text=text, segments=tuple(segments))


_cached_template = lru_cache(maxsize=1024)(_read_template)


def _expression_segment(text: str, start: int) -> ExpressionSegment:
    end = _closing(text, start + len(_OPEN))
    if end < 0:
        message = (
            "The expression is not closed. An unescaped ${{ sequence was found, "
            "but the closing }} sequence was not found."
        )
        raise ExpressionError("parsing", message, 1, offset=start)
    inside = text[start + len(_OPEN) : end]
    expression = inside.strip()
    if not expression:
        raise ExpressionError("parsing", "An expression was expected", 1, offset=start)
    offset = start + len(_OPEN) + len(inside) - len(inside.lstrip())
    return ExpressionSegment(expression=expression, start=start, end=end + len(_CLOSE), offset=offset)


def _closing(text: str, at: int) -> int:
    """Where the next `}}` outside a string literal is; -1 when there is none."""
    close = text.find(_CLOSE, at)
    while close >= 0:
        quote = text.find("'", at, close)
        if quote < 0:
            return close
        at = text.find("'", quote + 1) + 1
        if at == 0:
            return -1
        if at > close:
            close = text.find(_CLOSE, at)
    return close


def interpolate(
    text: str,
    contexts: Mapping[str, object],
    *,
    dialect: Dialect = "waterflow",
    functions: FunctionHost | None = None,
) -> object:
    """A text with its expressions evaluated; `contexts`, `dialect` and `functions` as for `evaluate`.

    Returns:
        The value itself when the text is one `${{ }}` and nothing else, with no space around it; text otherwise.

    Raises:
        ExpressionError: with `offset` set to where the expression starts.
    """
    template = parse_template(text)
    if template.whole is not None:
        return _evaluate(template.whole, contexts, dialect, functions)
    parts: list[str] = []
    size = 0
    for segment in template.segments:
        if isinstance(segment, LiteralSegment):
            part = segment.text
        else:
            part = to_string(_evaluate(segment, contexts, dialect, functions))
        size += 2 * len(part)
        if size > MAX_MEMORY:
            message = "The maximum allowed memory size was exceeded while evaluating the following text: "
            raise ExpressionError("evaluation", message + text[:80], 1, offset=segment.start)
        parts.append(part)
    return "".join(parts)


def _evaluate(
    segment: ExpressionSegment, contexts: Mapping[str, object], dialect: Dialect, functions: FunctionHost | None
) -> object:
    try:
        return evaluate(segment.expression, contexts, dialect=dialect, functions=functions)
    except ExpressionError as error:
        raise error.within_template(segment.offset) from None
