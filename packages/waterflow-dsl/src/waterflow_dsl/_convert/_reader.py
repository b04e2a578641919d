"""Reads values of the tree by the types of the tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Place, Report
from waterflow_dsl._schema._tables import FIELDS, GITHUB_FIELDS, GITHUB_OBJECTS, OBJECTS
from waterflow_dsl._schema._types import Field, Type
from waterflow_dsl._source import Node, Scalar
from waterflow_dsl._source._tree import describe
from waterflow_dsl.model import Site

Dialect: TypeAlias = Literal["waterflow", "github"]
_LITERAL = re.compile(r"\$\{\{\s*'(?:[^']|'')*'\s*\}\}")
"""A text that is written as an expression: GitHub takes it wherever it takes a text."""
UNSET = msgspec.UNSET
"""What a reader returns for a value that it refused; the diagnostic is already reported."""


class At(msgspec.Struct, frozen=True, gc=False):
    """Where a value stands: its path, and the field it belongs to."""

    path: str
    field: Field

    def below(self, key: str) -> At:
        """The place of a key of a mapping of the user's."""
        return At(f"{self.path}.{key}", self.field)

    def item(self, index: int) -> At:
        """The place of an element."""
        return At(f"{self.path}[{index}]", self.field)


ReadType: TypeAlias = Callable[["Reader", Any, Node, At], Any]


class Reader:
    """Reads one file. ``sites`` collects the scalars with expressions of the object that is being read."""

    def __init__(self, report: Report, dialect: Dialect, readers: dict[type[Type], ReadType]) -> None:
        self._report = report
        self._readers = readers
        self.dialect: Dialect = dialect
        self.github = dialect == "github"
        self.objects = GITHUB_OBJECTS if self.github else OBJECTS
        self.fields = GITHUB_FIELDS if self.github else FIELDS
        self.sites: list[Site] = []

    def read(self, kind: Type, node: Node, at: At) -> Any:
        """The value of a node, or ``UNSET`` after a diagnostic."""
        return self._readers[type(kind)](self, kind, node, at)

    def report(self, code: Code, place: Place, message: str, path: str, hint: str | None = None) -> None:
        """Report a finding."""
        self._report.add(code, place, message, path=path, hint=hint)

    def nearest(self, name: str, candidates: Iterable[str]) -> str | None:
        """The nearest name."""
        return self._report.nearest(name, candidates)

    def wrong_type(self, node: Node, at: At, expected: str) -> Any:
        """Report a value of the wrong kind; gives ``UNSET``."""
        name = at.path.rpartition(".")[2] or at.path
        if isinstance(node, Scalar) and node.value is None:
            self.report(Code.EMPTY_VALUE, node, f"`{name}` has no value; it takes {expected}", at.path)
        else:
            self.report(Code.WRONG_TYPE, node, f"`{name}` takes {expected}, not {describe(node)}", at.path)
        return UNSET

    def template(self, node: Node, at: At) -> bool:
        """Whether a node is text with expressions; notes it for the analysis, or reports that it may not be."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or "${{" not in node.value:
            return False
        if at.field.place is None:
            if self.github and _LITERAL.fullmatch(node.value):
                return False
            name = at.path.rpartition(".")[2]
            hint = "write the value itself"
            self.report(Code.EXPRESSION_NOT_HERE, node, f"`{name}` is static: no `${{{{ }}}}` here", at.path, hint)
        else:
            self.sites.append(Site(node, at.path, at.field))
        return True

    def condition(self, node: Scalar, at: At) -> None:
        """Note a condition for the analysis."""
        self.sites.append(Site(node, at.path, at.field, bare=True))
