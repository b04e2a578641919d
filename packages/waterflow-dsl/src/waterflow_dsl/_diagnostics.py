"""Diagnostics: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

import msgspec

from waterflow_dsl._codes import CODES, Code, Severity
from waterflow_dsl._suggest import suggest

_COMPARISONS = 100_000
MAX_ERRORS = 10_000
"""Errors of one file that are reported; nobody reads more, and a hostile file could ask for millions."""
_CANDIDATES = 2_000
ANCHOR = "docs/reference/diagnostics.md#"


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One finding.

    Attributes:
        code: stable, ``WF1203``; explained in ``docs/reference/diagnostics.md``.
        severity: ``error``, ``warning`` or ``info``.
        message: one sentence.
        file: name of the file as it was given.
        line: 1-based line; ``column``: 1-based, in characters.
        end_line: line of the end; ``end_column``: the column after the last character.
        path: place in the structure, ``jobs.deploy.steps[2].with.file``; empty for the whole file.
        hint: what to do, or None.
        anchor: where the code is documented.
    """

    code: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    path: str = ""
    hint: str | None = None
    anchor: str = ""


class Place(Protocol):
    """Anything with a start and an end in the file; all 1-based."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...


class Span(msgspec.Struct, frozen=True):
    """A stretch of the file; 1-based, the end column is the one after the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Report:
    """Collects the diagnostics of one file, each place and code once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[tuple[str, int, int, str]] = set()
        self._closed: set[tuple[int, int]] = set()
        self._diagnostics: list[Diagnostic] = []
        self._comparisons = _COMPARISONS
        self._errors = 0

    def add(self, code: Code, place: Place, message: str, *, path: str = "", hint: str | None = None) -> None:
        """Report a finding; severity comes from the table of codes."""
        if self.full:
            return
        message = _printable(message)
        key = (code.value, place.line, place.column, message)
        if key in self._seen or (place.line, place.column) in self._closed:
            return
        if code is Code.NUMBER_RANGE:
            self._closed.add((place.line, place.column))
        self._seen.add(key)
        self._errors += CODES[code].severity is Severity.ERROR
        self._diagnostics.append(
            Diagnostic(
                code=code.value,
                severity=CODES[code].severity.value,
                message=message,
                file=self._file,
                line=place.line,
                column=place.column,
                end_line=place.end_line,
                end_column=place.end_column,
                path=_printable(path),
                hint=None if hint is None else _printable(hint),
                anchor=ANCHOR + code.value.lower(),
            )
        )

    def nearest(self, name: str, candidates: Iterable[str], similarity: float = 0.6) -> str | None:
        """The nearest name, as long as the file's budget of comparisons lasts: thousands of mistakes stay quick."""
        if self._comparisons <= 0:
            return None
        among = list(islice(candidates, _CANDIDATES))
        self._comparisons -= len(among)
        return suggest(name, among, similarity)

    @property
    def failed(self) -> bool:
        """Whether an error was reported."""
        return self._errors > 0

    @property
    def full(self) -> bool:
        """Whether no more is reported."""
        return self._errors >= MAX_ERRORS

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings in file order."""
        return tuple(sorted(self._diagnostics, key=lambda each: (each.line, each.column, each.code)))


def _printable(text: str) -> str:
    """Text of the user's may hold anything that YAML escapes can write; a terminal must not see it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def did_you_mean(name: str | None) -> str | None:
    """The hint for a nearest name."""
    return None if name is None else f"did you mean `{name}`?"
