"""Offsets in a scalar's value to lines and columns in the file, through quotes, escapes, folding and indentation."""

from __future__ import annotations

import bisect
import re

from waterflow_dsl._diagnostics import Span
from waterflow_dsl._source._text import SourceText
from waterflow_dsl._source._tree import Scalar

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}
_BLANKS = " \t\r\n\x85\u2028\u2029"


class Positions:
    """Places within the scalars of one file; what is costly is computed when first asked for, and kept."""

    def __init__(self, source: SourceText) -> None:
        self._text = source.text
        self._starts: list[int] = []
        self._aligned: dict[int, tuple[Scalar, list[int]]] = {}

    def span(self, scalar: Scalar, start: int, end: int) -> Span:
        """The place of ``value[start:end]``; on one line even if the value is not."""
        offsets = self._offsets(scalar)
        first = offsets[max(0, min(start, len(offsets) - 1))]
        last = offsets[max(0, min(end - 1, len(offsets) - 1))] + 1 if end > start else first + 1
        line, column = self._place(first)
        end_line, end_column = self._place(last)
        return Span(line, column, line, column + 1) if end_line != line else Span(line, column, end_line, end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        if not self._starts:
            self._starts = [0, *(found.end() for found in _BREAK.finditer(self._text))]
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def _offsets(self, scalar: Scalar) -> list[int]:
        known = self._aligned.get(id(scalar))
        if known is None:
            value = scalar.value if isinstance(scalar.value, str) else scalar.text
            known = (scalar, _align(self._text, scalar, value))
            self._aligned[id(scalar)] = known
        return known[1]


def _align(text: str, scalar: Scalar, value: str) -> list[int]:
    """The offset in the file of each character of a value, and of its end."""
    if scalar.style in ("|", ">"):
        return _align_block(text, scalar, value)
    at = scalar.start + (1 if scalar.style else 0)
    if not scalar.style and text.startswith(value, at):
        return list(range(at, at + len(value) + 1))
    offsets: list[int] = []
    for character in value:
        at = _before(text, at, character, scalar.style)
        offsets.append(at)
        at += _width(text, at, character, scalar.style)
    offsets.append(at)
    return offsets


def _before(text: str, at: int, character: str, style: str) -> int:
    """Skip what stands in the file but not in the value: escaped line ends, and white space around folded ones."""
    while style == '"' and text[at : at + 1] == "\\" and text[at + 1 : at + 2] in ("\n", "\r"):
        at = _skip_blanks(text, at + 1)
    if text[at : at + 1] in _BLANKS and character not in _BLANKS:
        return _skip_blanks(text, at)
    return at


def _width(text: str, at: int, character: str, style: str) -> int:
    """How many characters of the file stand for one of the value."""
    if style == "'" and character == "'":
        return 2
    if style == '"' and text[at : at + 1] == "\\":
        return _ESCAPE_LENGTH.get(text[at + 1 : at + 2], 2)
    if character in " \n" and text[at : at + 1] in _BLANKS:
        end = _skip_blanks(text, at)
        return end - at if character == " " and "\n" in text[at:end] else 1
    return 1


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _align_block(text: str, scalar: Scalar, value: str) -> list[int]:
    """Lines of a block scalar are found one after the other in the file, behind the header line."""
    header = _BREAK.search(text, scalar.start)
    at = header.end() if header else scalar.start
    offsets: list[int] = []
    for piece in re.findall(r"[^ \n]+|[ \n]", value):
        if piece in (" ", "\n"):
            offsets.append(at)
            at += text.startswith(piece, at)
            continue
        found = text.find(piece, at, scalar.end + len(piece))
        at = found if found >= 0 else at
        offsets.extend(range(at, at + len(piece)))
        at += len(piece)
    offsets.append(at)
    return offsets
