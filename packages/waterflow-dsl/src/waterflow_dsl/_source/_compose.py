"""YAML events to a tree.

PyYAML's parser gives events; the tree is composed here, because limits (depth, number of values, repeated aliases) must
hold *while* reading: the C composer would overflow its stack before anybody could look.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, Span
from waterflow_dsl._source._problems import report_problem
from waterflow_dsl._source._scalars import resolve
from waterflow_dsl._source._text import SourceText
from waterflow_dsl._source._tree import Entry, Mapping, Node, Scalar, Sequence

MAX_DEPTH = 100
MAX_VALUES = 1_000_000
MAX_ALIASED = 100_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_STRING = "tag:yaml.org,2002:str"
_EVENTS = yaml.events


def compose(source: SourceText, report: Report, *, github: bool = False) -> Node | None:
    """The tree of a file, or None after a diagnostic.

    ``github``: keys that differ in case only are the same key, ``<<`` is a key as any other, and numbers that are
    too large are the largest there is, all as in GitHub's reader.
    """
    composer = _Composer(source, report, github)
    try:
        return composer.document()
    except yaml.YAMLError as error:
        report_problem(error, source, report)
    except _Stop:
        pass
    return None


class _Stop(Exception):
    """The file cannot be read further."""


class _Composer:
    """One pass over the events of one file."""

    def __init__(self, source: SourceText, report: Report, github: bool) -> None:
        self._report = report
        self._github = github
        self._events: Iterator[Any] = yaml.parse(source.text, Loader=_Loader)
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        self._values = 0
        self._aliased = 0

    def document(self) -> Node | None:
        """The only document of the file."""
        next(self._events)
        event = next(self._events)
        if isinstance(event, _EVENTS.StreamEndEvent):
            self._report.add(Code.EMPTY, Span(1, 1, 1, 1), "the file is empty", hint="a workflow starts with `jobs:`")
            return None
        root = self._node(next(self._events), 1)
        next(self._events)
        event = next(self._events)
        if not isinstance(event, _EVENTS.StreamEndEvent):
            self._stop(Code.MANY_DOCUMENTS, event, "a second document starts here", "put each workflow in its own file")
        if isinstance(root, Scalar) and root.value is None:
            self._report.add(Code.EMPTY, Span(1, 1, 1, 1), "the file is empty", hint="a workflow starts with `jobs:`")
            return None
        return root

    def _node(self, event: Any, depth: int) -> Node:
        self._values += 1
        if self._values > MAX_VALUES:
            self._stop(Code.TOO_LARGE, event, f"the file has more than {MAX_VALUES:,} values", "split the file")
        if isinstance(event, _EVENTS.AliasEvent):
            return self._alias(event)
        if event.tag is not None and event.tag not in _TAGS:
            self._unknown_tag(event)
        if isinstance(event, _EVENTS.ScalarEvent):
            return self._remember(event, self._scalar(event), 1)
        if depth > MAX_DEPTH:
            self._stop(Code.TOO_DEEP, event, f"more than {MAX_DEPTH} levels of nesting", None)
        before = self._values + self._aliased
        if event.anchor is not None:
            self._anchors[event.anchor] = (None, 0)
        node = (
            self._mapping(event, depth)
            if isinstance(event, _EVENTS.MappingStartEvent)
            else self._sequence(event, depth)
        )
        return self._remember(event, node, self._values + self._aliased - before)

    def _remember(self, event: Any, node: Node, size: int) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, size)
        return node

    def _scalar(self, event: Any) -> Scalar:
        start, end, text = event.start_mark, event.end_mark, event.value
        value = resolve(text) if event.implicit[0] and event.tag != _STRING else text
        infinite = isinstance(value, float) and not math.isfinite(value)
        if infinite and self._github:
            value, infinite = _largest(value, text), False
        scalar = Scalar(
            start.line + 1,
            start.column + 1,
            end.line + 1,
            end.column + 1,
            value,
            text,
            event.style or "",
            start.index,
            end.index,
        )
        if infinite:
            self._report.add(Code.NUMBER_RANGE, scalar, f"{text[:40]} is not a finite number", hint="quote it")
        return scalar

    def _sequence(self, event: Any, depth: int) -> Sequence:
        items: list[Node] = []
        start: Any = event.start_mark
        event = next(self._events)
        while not isinstance(event, _EVENTS.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
            event = next(self._events)
        end: Any = event.end_mark
        return Sequence(start.line + 1, start.column + 1, end.line + 1, end.column + 1, items)

    def _mapping(self, event: Any, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        merges: list[Node] = []
        folded: dict[str, Scalar] | None = {} if self._github else None
        start: Any = event.start_mark
        event = next(self._events)
        while not isinstance(event, _EVENTS.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar) and key.text == "<<" and key.style == "" and folded is None:
                merges.append(value)
            elif isinstance(key, Scalar) and key.text:
                self._add(entries, key, value, folded)
            else:
                self._refuse_key(key)
            event = next(self._events)
        for merge in merges:
            self._merge(entries, merge)
        end: Any = event.end_mark
        return Mapping(start.line + 1, start.column + 1, end.line + 1, end.column + 1, entries)

    def _refuse_key(self, key: Node) -> None:
        what = "an empty key" if isinstance(key, Scalar) else "a list or mapping as key"
        hint = "quote texts that start with `{`, `[` or `?`"
        self._report.add(Code.KEY_NOT_TEXT, key, f"{what} is not possible", hint=hint)

    def _add(self, entries: dict[str, Entry], key: Scalar, value: Node, folded: dict[str, Scalar] | None) -> None:
        same = entries.get(key.text)
        first = same.key if same else None
        if folded is not None:
            first = folded.setdefault(key.text.upper(), key)
        if first is None or first is key:
            entries[key.text] = Entry(key, value)
            return
        message = f"`{_short(key.text)}` is already defined in line {first.line}"
        self._report.add(Code.DUPLICATE_KEY, key, message, hint="remove one of them")

    def _merge(self, entries: dict[str, Entry], merged: Node) -> None:
        sources = merged.items if isinstance(merged, Sequence) else [merged]
        for source in sources:
            if not isinstance(source, Mapping):
                self._report.add(Code.MERGE_KEY, source, "`<<` merges mappings only", hint="give an alias of a mapping")
                continue
            for key, entry in source.entries.items():
                entries.setdefault(key, entry)

    def _alias(self, event: Any) -> Node:
        node, size = self._anchors.get(event.anchor, (None, -1))
        if node is None:
            problem = "contains itself" if size == 0 else "is not defined above"
            self._stop(Code.ALIASES, event, f"the anchor `{_short(event.anchor)}` {problem}", None)
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            self._stop(Code.ALIASES, event, f"aliases repeat more than {MAX_ALIASED:,} values", "write fewer aliases")
        return node

    def _unknown_tag(self, event: Any) -> None:
        hint = 'quote a text that starts with `!`: "!cancelled()"'
        self._stop(Code.TAG, event, f"the tag `{_short(event.tag)}` is not allowed", hint)

    def _stop(self, code: Code, event: Any, message: str, hint: str | None) -> NoReturn:
        start, end = event.start_mark, event.end_mark
        end_line = end.line if isinstance(event, (_EVENTS.ScalarEvent, _EVENTS.AliasEvent)) else start.line
        end_column = end.column if end_line == end.line else start.column + 1
        self._report.add(code, Span(start.line + 1, start.column + 1, end_line + 1, end_column + 1), message, hint=hint)
        raise _Stop


def _largest(value: float | int | str | bool | None, text: str) -> float | str:
    """The largest number in place of an infinite one; what is no number at all stays text."""
    return text if value != value else math.copysign(sys.float_info.max, float(value or 0))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
