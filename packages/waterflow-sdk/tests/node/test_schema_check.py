"""JSON Schemas that were written by hand: what is wrong with them is said, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_sdk.node import InvalidNode, Node, NodeContext, check_node
from waterflow_sdk.node._schema_check import schema_problems

GOOD: dict[str, Any] = {
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": ["string", "null"], "pattern": "^/", "maxLength": 9, "x-of-somebody": 1},
        "limit": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["none"]}], "default": 1},
        "all": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}},
        "any": True,
    },
    "$defs": {"a/b": {"type": "object"}},
}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"properties": ["a"]}, "inputs.properties must be a mapping of names to schemas"),
    ({"properties": {"a": 3}}, "inputs.properties.a must be a JSON Schema: a mapping, true or false"),
    (
        {"properties": {"a": {"type": "strng"}}},
        "inputs.properties.a.type must be one or several of array, boolean, integer, null, number, object, string, "
        "not 'strng'",
    ),
    ({"required": "a"}, "inputs.required must be a list of names, not 'a'"),
    ({"properties": {"a": {"enum": 3}}}, "inputs.properties.a.enum must be a list of values, not 3"),
    (
        {"properties": {"a": {"pattern": "("}}},
        "inputs.properties.a.pattern must be a regular expression of Python, not '('",
    ),
    ({"properties": {"a": {"minimum": "1"}}}, "inputs.properties.a.minimum must be a number, not '1'"),
    (
        {"properties": {"a": {"minLength": -1}}},
        "inputs.properties.a.minLength must be a whole number, 0 or more, not -1",
    ),
    ({"anyOf": {"type": "object"}}, "inputs.anyOf must be a list of schemas"),
    ({"anyOf": [{"type": "x"}]}, "inputs.anyOf[0].type must be one or several of array, boolean, "),
    ({"additionalProperties": "no"}, "inputs.additionalProperties must be a JSON Schema: a mapping, true or false"),
    ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "inputs.properties.a.$ref leads nowhere: '#/$defs/b'; "),
    ({"items": {"$ref": "https://example.com/x"}}, "inputs.items.$ref leads nowhere: 'https://example.com/x'; "),
]


class TestProblems:
    def test_none(self) -> None:
        assert schema_problems(GOOD, "inputs") == []

    @pytest.mark.parametrize(("schema", "problem"), BAD, ids=[problem[:45] for _, problem in BAD])
    def test_each_with_its_place(self, schema: dict[str, Any], problem: str) -> None:
        (found,) = schema_problems(schema, "inputs")
        assert found.startswith(problem)

    def test_all_at_once(self) -> None:
        assert len(schema_problems({"required": 1, "properties": {"a": {"type": 1}, "b": {"enum": 1}}}, "outputs")) == 3


class TestNode:
    def test_is_refused(self) -> None:
        class Send(Node):
            """Sends."""

            name = "demo/send"
            version = "1.0.0"
            input_schema = GOOD
            output_schema = {"type": "object", "required": "sent"}

            async def execute(self, ctx: NodeContext, inputs: dict[str, Any]) -> None: ...

        with pytest.raises(InvalidNode) as raised:
            check_node(Send)
        assert raised.value.problems == ["outputs.required must be a list of names, not 'sent'"]
