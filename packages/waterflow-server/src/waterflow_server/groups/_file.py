"""``server-groups.yml``: from text to groups, each value with its place; or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec
import yaml

from waterflow_sdk.wire import GroupSpec

from .._nearest import did_you_mean
from ._names import spec_problems
from ._table import MAX_GROUPS, Place, invalid

MAX_FILE_BYTES = 1024 * 1024
ROOT_KEY = "server_groups"
KEYS = ("name", "description", "agents", "include_groups", "tags", "target")
_LISTS = ("agents", "include_groups", "tags")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NESTING = 20
"""Deeper than any such file is, and far from where recursion would end."""


class GroupFile(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of a file by name, and where each value of theirs stands."""

    specs: dict[str, GroupSpec]
    places: dict[tuple[str, str], Place]


def parse_groups(text: str, filename: str) -> GroupFile:
    """Raises InvalidGroups with every place."""
    return _Reader(filename).read(text)


class _Reader:
    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._found: list[tuple[Place, str, str, str]] = []
        self._specs: dict[str, GroupSpec] = {}
        self._places: dict[tuple[str, str], Place] = {}

    def read(self, text: str) -> GroupFile:
        root = self._compose(text)
        if root is not None:
            groups = self._pairs(root, (ROOT_KEY,), "the file").get(ROOT_KEY)
            for number, node in enumerate(self._items(groups, ROOT_KEY) if groups is not None else ()):
                if number == MAX_GROUPS:
                    self._report(node, f"the file has more than {MAX_GROUPS} groups")
                    break
                self._group(node)
        if self._found:
            raise invalid(self._found)
        return GroupFile(specs=self._specs, places=self._places)

    def _compose(self, text: str) -> yaml.Node | None:
        if len(text.encode(errors="surrogatepass")) > MAX_FILE_BYTES:
            self._report(None, f"the file has more than {MAX_FILE_BYTES} bytes")
            return None
        try:
            _check_nesting(text)
            return yaml.compose(text, Loader=_LOADER)
        except (yaml.YAMLError, RecursionError) as error:
            place = self._place(getattr(error, "problem_mark", None))
            why = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is nested too deeply"
            self._found.append((place, "", "", f"not YAML: {why}"))
            return None

    def _group(self, node: yaml.Node) -> None:
        pairs = self._pairs(node, KEYS, "a group")
        name = self._text(pairs["name"]) if "name" in pairs else None
        if "name" not in pairs and isinstance(node, yaml.MappingNode):
            self._report(node, "a group needs a `name`")
        if name is None:
            return
        if name in self._specs:
            first = self._places[name, ""]["line"]
            self._report(pairs["name"], f"group {name!r} is given twice, first in line {first}")
            return
        self._places[name, ""] = self._place(pairs["name"].start_mark)
        self._add(name, pairs)

    def _add(self, name: str, pairs: dict[str, yaml.Node]) -> None:
        given: dict[str, Any] = {"name": name}
        for key, node in pairs.items():
            self._places[name, key] = self._place(node.start_mark)
            given[key] = self._texts(name, key, node) if key in _LISTS else self._text(node) or ""
        spec = GroupSpec(**given)
        self._specs[name] = spec
        for path, problem in spec_problems(spec):
            self._found.append((self._places.get((name, path), self._places[name, ""]), name, path, problem))

    def _texts(self, name: str, key: str, node: yaml.Node) -> list[str]:
        texts: list[str] = []
        for number, item in enumerate(self._items(node, key)):
            self._places[name, f"{key}[{number}]"] = self._place(item.start_mark)
            texts.append(self._text(item) or "?")
        return texts

    def _pairs(self, node: yaml.Node, keys: tuple[str, ...], what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._report(node, f"{what} has to be a mapping with {', '.join(f'`{key}`' for key in keys)}")
            return {}
        pairs: dict[str, yaml.Node] = {}
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name not in keys:
                self._report(key, f"unknown key `{name[:80]}`{did_you_mean(name, keys)}")
            elif name in pairs:
                self._report(key, f"`{name}` is given twice")
            else:
                pairs[name] = value
        return pairs

    def _items(self, node: yaml.Node, key: str) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            yield from cast("list[yaml.Node]", node.value)
        elif not (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
            self._report(node, f"`{key}` has to be a list")

    def _text(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._report(node, "text is expected here")
            return None
        tag = str(node.tag)
        if tag.startswith("!"):
            self._report(node, f"put {tag!r} into quotes: YAML takes a bare `!` for something of its own")
            return None
        if tag.endswith(":null"):
            self._report(node, "a value is missing here")
            return None
        # Text as it stands: a host may be called 007, a tag `on`.
        return str(node.value)

    def _place(self, mark: Any) -> Place:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return {"file": self._filename, "line": line, "column": column}

    def _report(self, node: yaml.Node | None, problem: str) -> None:
        self._found.append((self._place(node.start_mark if node is not None else None), "", "", problem))


def _check_nesting(text: str) -> None:
    """Raises YAMLError before anything is built of a file that is nested too deeply."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _NESTING:
                mark: Any = event.start_mark
                raise yaml.MarkedYAMLError(problem=f"nested more than {_NESTING} deep", problem_mark=mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
