"""The file as a whole."""

from __future__ import annotations

from typing import Any

from waterflow_dsl._codes import Code
from waterflow_dsl._convert import _collections, _objects, _scalars, _steps, _triggers
from waterflow_dsl._convert._reader import Dialect, Reader, ReadType
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._schema import _types as types
from waterflow_dsl._schema._tables import OBJECTS
from waterflow_dsl._source import Mapping, Node
from waterflow_dsl._source._tree import describe
from waterflow_dsl.model import Action, Workflow

_READERS: dict[type[types.Type], ReadType] = {
    types.Text: _scalars.read_text,
    types.Number: _scalars.read_number,
    types.Flag: _scalars.read_flag,
    types.Duration: _scalars.read_duration,
    types.Memory: _scalars.read_memory,
    types.Condition: _scalars.read_condition,
    types.Json: _scalars.read_json,
    types.Null: _collections.read_null,
    types.MapOf: _collections.read_map,
    types.ListOf: _collections.read_list,
    types.OneOf: _collections.read_one_of,
    types.Ref: _objects.read_ref,
    types.Steps: _steps.read_steps,
    types.Triggers: _triggers.read_triggers,
    types.ActionSteps: _steps.read_action_steps,
}


def convert_action(root: Node, report: Report) -> Action | None:
    """The model of an action manifest; None when it is not a mapping."""
    if not isinstance(root, Mapping):
        report.add(
            Code.WRONG_TYPE, root, f"an action is a mapping, not {describe(root)}", hint="it starts with `name:`"
        )
        return None
    reader = Reader(report, "github", _READERS)
    action: Any = _objects.read_object(reader, OBJECTS["action"], root, "")
    return action


def convert(root: Node, report: Report, dialect: Dialect) -> Workflow | None:
    """The model of a file; None when the file is not a mapping."""
    if not isinstance(root, Mapping):
        hint = "a workflow starts with `jobs:`"
        report.add(Code.WRONG_TYPE, root, f"a workflow is a mapping, not {describe(root)}", hint=hint)
        return None
    reader = Reader(report, dialect, _READERS)
    workflow: Any = _objects.read_object(reader, OBJECTS["workflow"], root, "")
    return workflow
