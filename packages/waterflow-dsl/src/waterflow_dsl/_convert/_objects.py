"""Objects: mappings with known keys."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._codes import Code
from waterflow_dsl._convert._lookalikes import look_alike
from waterflow_dsl._convert._reader import UNSET, At, Reader
from waterflow_dsl._diagnostics import did_you_mean
from waterflow_dsl._schema._types import Field, ObjectType, Ref, fold
from waterflow_dsl._source import Mapping, Node, Scalar


def read_ref(reader: Reader, kind: Ref, node: Node, at: At) -> Any:
    """An object by the name of its type."""
    if not isinstance(node, Mapping):
        return reader.wrong_type(node, at, "a mapping")
    name = _kind_of_job(reader, node) if kind.name == "job" else kind.name
    return read_object(reader, reader.objects[name], node, at.path)


def _kind_of_job(reader: Reader, node: Mapping) -> str:
    if not reader.github:
        return "job"
    return "call-job" if "uses" in node.entries and "runs-on" not in node.entries else "steps-job"


def read_object(reader: Reader, kind: ObjectType, node: Mapping, path: str) -> Any:
    """The model of an object; fields that were refused keep their defaults."""
    outer = reader.sites
    if kind.scope:
        reader.sites = []
    values: dict[str, Any] = {"node": node, "path": path}
    seen: dict[str, Scalar] = {}
    meant: set[str | None] = set()
    for entry in node.entries.values():
        field = _field(reader, kind, entry.key, path)
        if field is None:
            meant.add(reader.nearest(entry.key.text, [each.name for each in kind.fields if each.required]))
        elif _first(reader, seen, field, entry.key, path):
            value = reader.read(field.type, entry.value, At(f"{path}.{field.name}" if path else field.name, field))
            if value is not UNSET:
                values[field.attribute] = value
    _check_keys(reader, kind, node, seen, path, meant)
    if kind.scope:
        values["sites"] = tuple(reader.sites)
        reader.sites = outer
    if kind.model is None:
        return {name: value for name, value in values.items() if name not in ("node", "path")}
    names = kind.model.__struct_fields__
    return kind.model(**{name: value for name, value in values.items() if name in names})


def _field(reader: Reader, kind: ObjectType, key: Scalar, path: str) -> Field | None:
    fields = reader.fields[kind.name]
    field = fields.get(key.text) or (fields.get(fold(key.text)) if _folds(reader, key.text) else None)
    place = f"{path}.{key.text}" if path else key.text
    if field is None:
        if not kind.loose:
            unknown_key(reader, kind, key, place)
        return None
    if reader.github and field.origin == "waterflow":
        reader.report(Code.NOT_IN_GITHUB, key, f"`{field.name}` is Waterflow's, not GitHub's", place)
        return None
    if not reader.github and field.origin == "github":
        message = f"`{field.name}` is GitHub's and has no effect here"
        reader.report(Code.GITHUB_ONLY, key, message, place, "the workflow runs without it")
    return field


def _folds(reader: Reader, key: str) -> bool:
    return not reader.github or key.startswith("workflow_")


def unknown_key(reader: Reader, kind: ObjectType, key: Scalar, path: str) -> None:
    """Report a key that does not exist, with the nearest one."""
    alike = look_alike(key.text)
    if alike:
        reader.report(Code.LOOK_ALIKE, key, f"`{key.text[:60]}` holds {alike}", path, "type the key anew")
        return
    names = [_spelled(field, reader) for field in kind.fields if not reader.github or field.origin != "waterflow"]
    near = reader.nearest(key.text, names)
    what = kind.title[0].lower() + kind.title[1:]
    hint = did_you_mean(near) or ("known keys: " + ", ".join(names))
    reader.report(Code.UNKNOWN_KEY, key, f"unknown key `{key.text[:60]}` in {what}", path, hint)


def _spelled(field: Field, reader: Reader) -> str:
    only_alias = reader.github and field.github is not None and field.github.alias
    return field.aliases[0] if only_alias else field.name


def _first(reader: Reader, seen: dict[str, Scalar], field: Field, key: Scalar, path: str) -> bool:
    first = seen.setdefault(field.name, key)
    if first is key:
        return True
    message = f"`{key.text}` is the same key as `{first.text}` in line {first.line}"
    reader.report(Code.DUPLICATE_KEY, key, message, f"{path}.{field.name}", "remove one of them")
    return False


def _check_keys(
    reader: Reader, kind: ObjectType, node: Mapping, seen: dict[str, Scalar], path: str, meant: set[str | None]
) -> None:
    """Keys that are missing, unless an unknown one was probably meant to be them, and keys that exclude each other."""
    for field in kind.fields:
        if field.required and field.name not in seen and field.name not in meant:
            what = kind.title[0].lower() + kind.title[1:]
            reader.report(Code.MISSING_KEY, first_line(node), f"`{field.name}` is missing in {what}", path)
    for group in kind.exclusive:
        both = [seen[name] for name in group if name in seen]
        if len(both) > 1:
            names = " and ".join(f"`{key.text}`" for key in both)
            reader.report(Code.CONFLICTING_KEYS, both[1], f"{names} exclude each other", path, "keep one of them")


def first_line(node: Mapping) -> Node:
    """The first key of a mapping: a place on one line."""
    return next((entry.key for entry in node.entries.values()), node)
