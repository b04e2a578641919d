"""All object types by name, in both dialects."""

from __future__ import annotations

import msgspec

from waterflow_dsl._schema._action import ACTION_TYPES
from waterflow_dsl._schema._github import GITHUB_TYPES
from waterflow_dsl._schema._job import JOB_TYPE, JOB_TYPES
from waterflow_dsl._schema._step import PARALLEL_TYPE, STEP_TYPE, STEP_TYPES
from waterflow_dsl._schema._triggers import TRIGGER_TYPES
from waterflow_dsl._schema._types import Field, ObjectType, fold
from waterflow_dsl._schema._workflow import WORKFLOW_TYPE

WORKFLOW_OBJECTS: dict[str, ObjectType] = {
    each.name: each for each in (WORKFLOW_TYPE, *TRIGGER_TYPES, *JOB_TYPES, *STEP_TYPES, *GITHUB_TYPES)
}
"""The object types of a workflow file."""

OBJECTS: dict[str, ObjectType] = {**WORKFLOW_OBJECTS, **{each.name: each for each in ACTION_TYPES}}
"""Those of action manifests as well."""


def _without(kind: ObjectType, name: str, title: str, *keys: str) -> ObjectType:
    fields = tuple(field for field in kind.fields if field.name not in keys)
    return msgspec.structs.replace(kind, name=name, title=title, fields=fields)


_CALL = frozenset({"name", "uses", "with", "secrets", "needs", "if", "permissions", "concurrency", "strategy"})
_VARIANTS = (
    _without(STEP_TYPE, "run-step", "A step with `run`", "uses", "with"),
    _without(STEP_TYPE, "uses-step", "A step with `uses`", "run", "shell", "working-directory"),
    _without(PARALLEL_TYPE, "parallel-step", "A step with `parallel`", "id", "name", "if"),
    _without(JOB_TYPE, "steps-job", "A job with `runs-on`", "uses", "with", "secrets"),
    _without(
        JOB_TYPE,
        "call-job",
        "A call of a reusable workflow",
        *(field.name for field in JOB_TYPE.fields if field.name not in _CALL and field.origin != "waterflow"),
    ),
)
"""GitHub's jobs and steps, which are of two kinds each, with keys of their own."""


def _on_github(field: Field) -> Field:
    rule = field.github
    if rule is None:
        return field
    place = None if rule.static else rule.place or field.place
    return msgspec.structs.replace(
        field, type=rule.type or field.type, place=place, required=field.required or rule.required
    )


GITHUB_OBJECTS: dict[str, ObjectType] = {
    each.name: msgspec.structs.replace(each, fields=tuple(_on_github(field) for field in each.fields))
    for each in (*OBJECTS.values(), *_VARIANTS)
}
"""The object types of GitHub's dialect."""


def _by_key(object_type: ObjectType, *, github: bool = False) -> dict[str, Field]:
    fields = object_type.fields
    found = {field.name: field for field in fields if not (github and field.github and field.github.alias)}
    for field in fields:
        for alias in field.aliases:
            found[fold(alias)] = field
            found[alias] = field
    return found


FIELDS: dict[str, dict[str, Field]] = {name: _by_key(each) for name, each in OBJECTS.items()}
"""The fields of each object type by folded key, aliases included."""

GITHUB_FIELDS: dict[str, dict[str, Field]] = {name: _by_key(each, github=True) for name, each in GITHUB_OBJECTS.items()}
"""The same in GitHub's dialect."""
