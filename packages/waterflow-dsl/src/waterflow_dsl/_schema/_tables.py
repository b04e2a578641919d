"""All object types by name."""

from __future__ import annotations

from waterflow_dsl._schema._action import ACTION_TYPES
from waterflow_dsl._schema._job import JOB_TYPES
from waterflow_dsl._schema._step import STEP_TYPES
from waterflow_dsl._schema._triggers import TRIGGER_TYPES
from waterflow_dsl._schema._types import Field, ObjectType, fold
from waterflow_dsl._schema._workflow import WORKFLOW_TYPE

WORKFLOW_OBJECTS: dict[str, ObjectType] = {
    each.name: each for each in (WORKFLOW_TYPE, *TRIGGER_TYPES, *JOB_TYPES, *STEP_TYPES)
}
"""The object types of a workflow file."""

OBJECTS: dict[str, ObjectType] = {**WORKFLOW_OBJECTS, **{each.name: each for each in ACTION_TYPES}}
"""Those of action manifests as well."""


def _by_key(object_type: ObjectType) -> dict[str, Field]:
    found = {field.name: field for field in object_type.fields}
    for field in object_type.fields:
        for alias in field.aliases:
            found[fold(alias)] = field
            found[alias] = field
    return found


FIELDS: dict[str, dict[str, Field]] = {name: _by_key(each) for name, each in OBJECTS.items()}
"""The fields of each object type by folded key, aliases included."""
