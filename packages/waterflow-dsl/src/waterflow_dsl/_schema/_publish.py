"""The published JSON Schema (draft 2020-12), made from the same tables as the validator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from waterflow_dsl._amount import PATTERN
from waterflow_dsl._catalog import Catalog, NodeSignature
from waterflow_dsl._control import CONTROL_NODES
from waterflow_dsl._schema import _types as types
from waterflow_dsl._schema._tables import WORKFLOW_OBJECTS
from waterflow_dsl._schema._triggers import EVENT_TYPES
from waterflow_dsl._schema._types import Field, ObjectType, Type

SCHEMA_ID = "https://waterflow.dev/schema/workflow-v1.json"
_EXPRESSION = {"type": "string", "pattern": r"\$\{\{"}
Schema: TypeAlias = dict[str, Any]


def workflow_schema(catalog: Catalog | None = None) -> Schema:
    """The JSON Schema of a workflow file.

    Args:
        catalog: with it, ``uses`` completes node names and ``with`` is judged by the schema of the node.
    """
    definitions = {name: _object(kind) for name, kind in WORKFLOW_OBJECTS.items() if name != "workflow"}
    definitions["steps"] = {"type": "array", "items": {"$ref": "#/$defs/any-step"}, "minItems": 1}
    definitions["any-step"] = _any_step()
    if catalog is not None:
        _add_nodes(definitions["step"], {**CONTROL_NODES, **catalog.nodes})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Waterflow workflow, language 1.0",
        **_object(WORKFLOW_OBJECTS["workflow"]),
        "$defs": definitions,
    }


def _object(kind: ObjectType) -> Schema:
    properties: Schema = {}
    for field in kind.fields:
        for name in _spellings(field):
            properties[name] = _field(field)
    schema: Schema = {
        "type": "object",
        "description": kind.title,
        "properties": properties,
        "additionalProperties": False,
    }
    if kind.name == "triggers":
        properties.update({event: {"description": f"GitHub's event `{event}`."} for event in EVENT_TYPES})
    required = [field for field in kind.fields if field.required]
    if required:
        schema["allOf"] = [{"anyOf": [{"required": [name]} for name in _spellings(field)]} for field in required]
    return schema


def _spellings(field: Field) -> list[str]:
    """Every spelling of a key, the documented one first."""
    names = [field.name, *field.aliases]
    return list(dict.fromkeys([*names, *(name.replace("-", "_") for name in names)]))


def _field(field: Field) -> Schema:
    schema = _type(field.type, field)
    text = field.help
    if field.place is not None:
        text += "\n\nContexts: " + ", ".join(sorted(field.place.contexts)) + "."
    return {"description": text, **schema} if "$ref" not in schema else {"description": text, "allOf": [schema]}


def _type(kind: Type, field: Field) -> Schema:
    return _WRITERS[type(kind)](kind, field)


def _or_expression(schema: Schema, field: Field) -> Schema:
    return schema if field.place is None else {"anyOf": [schema, _EXPRESSION]}


def _text(kind: types.Text, field: Field) -> Schema:
    if kind.options:
        return _or_expression({"enum": list(kind.options)}, field)
    if kind.pattern:
        return _or_expression({"type": ["string", "number"], "pattern": f"^(?:{kind.pattern})$"}, field)
    return {"type": ["string", "number", "boolean"]}


def _number(kind: types.Number, field: Field) -> Schema:
    schema: Schema = {"type": "integer" if kind.integer else "number"}
    if kind.minimum is not None:
        schema["minimum"] = kind.minimum
    if kind.maximum is not None:
        schema["maximum"] = kind.maximum
    return _or_expression(schema, field)


def _flag(_kind: types.Flag, field: Field) -> Schema:
    return _or_expression({"type": "boolean"}, field)


def _duration(kind: types.Duration, field: Field) -> Schema:
    if kind.unit != 1.0:
        return _or_expression({"type": "number", "minimum": 0}, field)
    text = {"type": "string", "pattern": r"^\s*((\d+(\.\d+)?(ms|s|m|h|d))+|\d+(\.\d+)?)\s*$"}
    return _or_expression({"anyOf": [{"type": "number", "minimum": 0}, text]}, field)


def _memory(_kind: types.Memory, field: Field) -> Schema:
    return _or_expression({"type": "string", "pattern": PATTERN}, field)


def _condition(_kind: types.Condition, _field: Field) -> Schema:
    return {"type": ["string", "boolean", "number"]}


def _json(kind: types.Json, _field: Field) -> Schema:
    return {"type": ["string", "number", "boolean", "null"]} if kind.scalar else {}


def _null(_kind: types.Null, _field: Field) -> Schema:
    return {"type": "null"}


def _map(kind: types.MapOf, field: Field) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": _type(kind.values, field)}
    if kind.pattern:
        schema["propertyNames"] = {"pattern": f"^(?:{kind.pattern})$"}
    return {"anyOf": [schema, _EXPRESSION]} if kind.template else schema


def _list(kind: types.ListOf, field: Field) -> Schema:
    items = _type(kind.items, field)
    schema: Schema = {"type": "array", "items": items}
    if kind.minimum:
        schema["minItems"] = kind.minimum
    return {"anyOf": [schema, items]} if kind.single else schema


def _one_of(kind: types.OneOf, field: Field) -> Schema:
    forms = [_type(form, field) for form in (kind.mapping, kind.sequence, kind.scalar) if form is not None]
    return {"anyOf": [*forms, *([{"type": "null"}] if kind.null else [])]}


def _ref(kind: types.Ref, _field: Field) -> Schema:
    return {"$ref": f"#/$defs/{kind.name}"}


def _steps(kind: types.Steps, _field: Field) -> Schema:
    steps: Schema = {"$ref": "#/$defs/steps"}
    return {"anyOf": [steps, {"$ref": "#/$defs/any-step"}]} if kind.single else steps


def _triggers(_kind: types.Triggers, _field: Field) -> Schema:
    names = ["manual", "workflow_dispatch", "webhook", "call", "workflow_call", *EVENT_TYPES]
    name: Schema = {"enum": names}
    return {"anyOf": [name, {"type": "array", "items": name}, {"$ref": "#/$defs/triggers"}]}


_WRITERS: dict[type[Type], Callable[[Any, Field], Schema]] = {
    types.Text: _text,
    types.Number: _number,
    types.Flag: _flag,
    types.Duration: _duration,
    types.Memory: _memory,
    types.Condition: _condition,
    types.Json: _json,
    types.Null: _null,
    types.MapOf: _map,
    types.ListOf: _list,
    types.OneOf: _one_of,
    types.Ref: _ref,
    types.Steps: _steps,
    types.Triggers: _triggers,
}


def _any_step() -> Schema:
    """A step or a block, told apart by its keys, so that an editor names the right mistake."""
    chosen: Schema = {"$ref": "#/$defs/step"}
    for name, keys in (
        ("loop", ["for-each", "steps"]),
        ("while", ["while"]),
        ("branch", ["then"]),
        ("parallel", ["parallel"]),
    ):
        chosen = {"if": {"required": keys}, "then": {"$ref": f"#/$defs/{name}"}, "else": chosen}
    return {"type": "object", **chosen}


def _add_nodes(step: Schema, nodes: dict[str, NodeSignature]) -> None:
    names = sorted(nodes)
    described = [{"const": name, "description": nodes[name].description} for name in names]
    step["properties"]["uses"] = {"anyOf": [{"oneOf": described}, {"type": "string"}]}
    step.setdefault("allOf", []).extend(
        {
            "if": {"required": ["uses"], "properties": {"uses": {"const": name}}},
            "then": {"properties": {"with": {"anyOf": [_inputs(nodes[name]), _EXPRESSION]}}},
        }
        for name in names
        if nodes[name].inputs
    )


def _inputs(signature: NodeSignature) -> Schema:
    """A node's inputs, each of which an expression may give as well."""
    inputs = dict(signature.inputs)
    properties = inputs.get("properties", {})
    inputs["properties"] = {name: {"anyOf": [schema, _EXPRESSION]} for name, schema in properties.items()}
    return inputs
