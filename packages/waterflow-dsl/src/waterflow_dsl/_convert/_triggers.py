"""``on``: a name, a list of names, or a mapping; GitHub's events are known and, outside GitHub's dialect, ignored."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._objects import read_object
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._diagnostics import did_you_mean
from waterflow_dsl._schema._tables import FIELDS, OBJECTS
from waterflow_dsl._schema._triggers import EVENT_FILTERS, EVENT_TYPES
from waterflow_dsl._schema._types import Triggers, fold
from waterflow_dsl._source import Mapping, Node, Scalar, Sequence
from waterflow_dsl._source._tree import Entry

_OURS = FIELDS["triggers"]
_PLAIN_EVENTS = (
    frozenset(EVENT_TYPES)
    - {name for name, types in EVENT_TYPES.items() if types}
    - set(EVENT_FILTERS)
    - {"repository_dispatch"}
)
"""Events that take no settings."""


def read_triggers(reader: Reader, _kind: Triggers, node: Node, at: At) -> Any:
    """The triggers of a file."""
    mapping = _as_mapping(reader, node, at)
    if mapping is None:
        return UNSET
    ours = {key: entry for key, entry in mapping.entries.items() if _ours(reader, entry, at)}
    names = tuple(dict.fromkeys(_OURS[fold(key)].name for key in ours))
    given = Mapping(node.line, node.column, node.end_line, node.end_column, _with_settings(ours, reader))
    triggers: model.Triggers = read_object(reader, reader.objects["triggers"], given, at.path)
    return model.Triggers(
        node=given,
        path=at.path,
        sites=triggers.sites,
        names=names,
        manual=triggers.manual,
        schedule=triggers.schedule,
        webhook=triggers.webhook,
        call=triggers.call,
    )


def _with_settings(entries: dict[str, Entry], reader: Reader) -> dict[str, Entry]:
    """Leave out the triggers without settings, which need no reading; only GitHub takes the name `schedule` alone."""
    return {
        key: entry
        for key, entry in entries.items()
        if not (isinstance(entry.value, Scalar) and entry.value.value is None)
        or (fold(key) == "schedule" and not (reader.github and entry.value.start == entry.key.start))
    }


def _as_mapping(reader: Reader, node: Node, at: At) -> Mapping | None:
    if isinstance(node, Mapping):
        return node
    items = node.items if isinstance(node, Sequence) else [node]
    entries: dict[str, Entry] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            place = at.item(index) if isinstance(node, Sequence) else at
            reader.wrong_type(item, place, "the name of a trigger")
            continue
        nothing = Scalar(item.line, item.column, item.end_line, item.end_column, None, "", "", item.start, item.end)
        entries[item.value] = Entry(item, nothing)
    return Mapping(node.line, node.column, node.end_line, node.end_column, entries) if entries else None


def _ours(reader: Reader, entry: Entry, at: At) -> bool:
    """Whether a trigger is one that Waterflow acts on; reports all others."""
    name = entry.key.text
    field = _OURS.get(fold(name))
    if field is not None and not (reader.dialect == "github" and not _in_github(name)):
        return True
    if name in EVENT_TYPES:
        _read_event(reader, name, entry, at)
        if reader.dialect == "waterflow":
            hint = "start the workflow by hand, or add `schedule`, `webhook` or `call`"
            reader.report(
                Code.TRIGGER_NOT_RUN, entry.key, f"GitHub's event `{name}` starts nothing here", at.path, hint
            )
        return False
    names = ["workflow_dispatch", "workflow_call", "schedule", *EVENT_TYPES]
    near = reader.nearest(
        name, names if reader.dialect == "github" else [*(f.name for f in OBJECTS["triggers"].fields), *names]
    )
    reader.report(Code.UNKNOWN_TRIGGER, entry.key, f"unknown trigger `{name[:60]}`", at.path, did_you_mean(near))
    return False


def _in_github(name: str) -> bool:
    return name in {"workflow_dispatch", "workflow_call", "schedule"}


def _read_event(reader: Reader, name: str, entry: Entry, at: At) -> None:
    if isinstance(entry.value, Scalar) and entry.value.value is None:
        return
    place = at.below(name)
    if name in _PLAIN_EVENTS or not isinstance(entry.value, Mapping):
        reader.wrong_type(entry.value, place, "nothing" if name in _PLAIN_EVENTS else "a mapping or nothing")
        return
    event: model.GithubTrigger = read_object(reader, OBJECTS["github-trigger"], entry.value, place.path)
    _check_filters(reader, name, entry.value, place)
    types = EVENT_TYPES[name]
    for wrong in (each for each in event.types if types and each not in types):
        message = f"`{wrong}` is not a type of `{name}`: {', '.join(types)}"
        reader.report(Code.NOT_AN_OPTION, event.key("types"), message, f"{place.path}.types")


def _check_filters(reader: Reader, name: str, node: Mapping, at: At) -> None:
    known = EVENT_FILTERS.get(name, frozenset())
    if EVENT_TYPES[name] or name == "repository_dispatch":
        known |= {"types"}
    for key, entry in node.entries.items():
        if key in FIELDS["github-trigger"] and key not in known:
            reader.report(Code.UNKNOWN_KEY, entry.key, f"the event `{name}` has no filter `{key}`", f"{at.path}.{key}")
    for filtered in ("branches", "tags", "paths"):
        both = node.entries.get(f"{filtered}-ignore")
        if both is not None and filtered in node.entries:
            message = f"`{filtered}` and `{filtered}-ignore` exclude each other"
            reader.report(Code.FILTER_CONFLICT, both.key, message, at.path, f"use `!` patterns in `{filtered}`")
