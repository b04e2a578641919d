"""The published JSON Schema agrees with the validator."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from waterflow_dsl import Catalog, NodeSignature, check, workflow_schema
from waterflow_dsl._schema._tables import OBJECTS

CASES = Path(__file__).parents[3] / "conformance" / "files"
VALIDATOR = Draft202012Validator(workflow_schema())


STRUCTURAL = ("WF1101", "WF1102", "WF1103", "WF1104", "WF1105", "WF1106")
BY_HAND = {  # what a schema of one file cannot say, or says more loosely on purpose
    "a job without steps",
    "a choice without options",
    "a default of another type",
    "a default that is no option",
    "a type that the event does not have",
    "a step that does nothing",
    "a pause that is neither a duration nor approval",
    "a matrix whose value is a text",
}


class _Yaml12(yaml.SafeLoader):
    """YAML 1.2: only true and false are booleans."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(("bool", "timestamp", "int"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("-+0123456789"))


def _files(wanted: Callable[[str, str], bool], *topics: str) -> list[Any]:
    return [
        pytest.param(case["file"], id=f"{topic}: {case['name']}")
        for topic in topics
        for case in yaml.safe_load((CASES / f"{topic}.yaml").read_text("utf-8"))
        if wanted(case["name"], "\n".join(line for line in case.get("diagnostics", []) if " error: " in line))
    ]


def _accepted(_name: str, errors: str) -> bool:
    return "WF11" not in errors and "WF16" not in errors


def _structurally_wrong(name: str, errors: str) -> bool:
    return name not in BY_HAND and any(code in errors for code in STRUCTURAL)


class TestAgreement:
    def test_it_is_a_schema(self) -> None:
        Draft202012Validator.check_schema(workflow_schema())

    @pytest.mark.parametrize("text", _files(_accepted, "plans", "structure", "expressions", "triggers", "graph"))
    def test_what_the_validator_accepts_the_schema_accepts(self, text: str) -> None:
        errors = [error.message for error in VALIDATOR.iter_errors(yaml.load(text, Loader=_Yaml12))]
        assert errors == []

    @pytest.mark.parametrize("text", _files(_structurally_wrong, "structure"))
    def test_what_is_structurally_wrong_the_schema_refuses(self, text: str) -> None:
        assert not VALIDATOR.is_valid(yaml.load(text, Loader=_Yaml12))


class TestTables:
    @pytest.mark.parametrize("name", OBJECTS)
    def test_every_key_has_its_field_in_the_model(self, name: str) -> None:
        kind = OBJECTS[name]
        if kind.model is None:
            return
        known = set(kind.model.__struct_fields__)
        fields = {field.attribute for field in kind.fields}
        unread = {"deprecation_message", "type"} if name in ("input", "call-input", "action-input") else set()
        assert fields - unread <= known

    @pytest.mark.parametrize("name", OBJECTS)
    def test_every_key_is_described(self, name: str) -> None:
        assert [field.name for field in OBJECTS[name].fields if not field.help.endswith((".", "`"))] == []


class TestNodes:
    NODE = NodeSignature(
        name="disk/check",
        version="1.0.0",
        description="Looks at disks.",
        inputs={"type": "object", "properties": {"path": {"type": "string"}}, "additionalProperties": False},
    )

    def test_inputs_are_judged_when_a_catalog_is_given(self) -> None:
        schema = Draft202012Validator(workflow_schema(Catalog(nodes={"disk/check": self.NODE})))
        step: dict[str, Any] = {"uses": "disk/check", "with": {"path": "/"}}
        workflow = {"jobs": {"a": {"steps": [step]}}}
        assert schema.is_valid(workflow)
        step["with"] = {"pat": "/"}
        assert not schema.is_valid(workflow)

    def test_the_examples_are_valid(self) -> None:
        for path in (CASES.parents[1] / "examples").glob("*.yaml"):
            text = path.read_text("utf-8")
            assert [each.message for each in check(text).diagnostics if each.severity == "error"] == [], path
            assert (
                json.dumps([error.message for error in VALIDATOR.iter_errors(yaml.load(text, Loader=_Yaml12))]) == "[]"
            )
