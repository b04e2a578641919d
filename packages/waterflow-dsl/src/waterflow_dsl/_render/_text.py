"""For a terminal: the finding, the line of the source, and a caret."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from waterflow_dsl._diagnostics import Diagnostic
from waterflow_dsl._source import SourceText
from waterflow_dsl._source._text import MAX_BYTES

_WIDTH = 120
_LEAD = 60
_COLORS = {"error": "31", "warning": "33", "info": "36"}
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]")


def render_text(diagnostics: Iterable[Diagnostic], text: str | bytes, color: bool = False) -> str:
    """All findings with their source lines, and a closing line that counts them; empty when there are none.

    Args:
        diagnostics: what :func:`waterflow_dsl.check` found.
        text: the same text that was checked.
        color: whether to use ANSI colours.
    """
    found = list(diagnostics)
    if not found:
        return ""
    decoded = text[:MAX_BYTES].decode("utf-8", "replace") if isinstance(text, bytes) else text
    lines = SourceText(decoded[:MAX_BYTES].removeprefix("\ufeff")).lines()
    blocks = [_block(each, lines, color) for each in found]
    return "\n\n".join([*blocks, _summary(found)]) + "\n"


def _block(diagnostic: Diagnostic, lines: list[str], color: bool) -> str:
    d = diagnostic
    head = f"{d.file}:{d.line}:{d.column}: {_paint(f'{d.severity} {d.code}', d.severity, color)}: {d.message}"
    rows = [head]
    if 0 < d.line <= len(lines) and lines[d.line - 1].strip():
        gutter = len(str(d.line)) + 1
        source, pad, width = _window(d, lines[d.line - 1])
        rows.append(f"{d.line:>{gutter}} | {source}")
        rows.append(f"{'':>{gutter}} | {' ' * pad}{_paint('^' * width, d.severity, color)}")
    if d.hint:
        rows.append(f"   = hint: {d.hint}")
    return "\n".join(rows)


def _window(diagnostic: Diagnostic, line: str) -> tuple[str, int, int]:
    """The stretch of a line around the finding, the cells before the caret, and the cells of the caret."""
    start = min(diagnostic.column - 1, len(line))
    end = diagnostic.end_column - 1 if diagnostic.end_line == diagnostic.line else start + 1
    first = max(0, start - _LEAD) if len(line) > _WIDTH else 0
    shown = line[first : first + _WIDTH]
    before = shown[: start - first]
    marked = shown[start - first : max(end, start + 1) - first]
    return _clean(shown), _cells(_clean(before)), max(1, _cells(_clean(marked)))


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("·", text.replace("\t", "    "))


def _cells(text: str) -> int:
    """Terminal cells: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(unicodedata.combining(each) != 0 for each in text)


def _paint(text: str, severity: str, color: bool) -> str:
    return f"\x1b[1;{_COLORS[severity]}m{text}\x1b[0m" if color else text


def _summary(found: list[Diagnostic]) -> str:
    counts: list[str] = []
    for severity, plural in (("error", "errors"), ("warning", "warnings"), ("info", "notes")):
        number = sum(each.severity == severity for each in found)
        if number:
            counts.append(f"{number} {plural if number > 1 else plural[:-1]}")
    return ", ".join(counts)
