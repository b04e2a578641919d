"""The manifest: what is known of a node without running it."""

from __future__ import annotations

from typing import Annotated

import jsonschema
import pytest
from msgspec import Meta, Struct

from waterflow_sdk import IncompatibleNode, InvalidNode, Node, NodeInput, NodeOutput, Secret, check_node, manifest_of
from waterflow_sdk.node import check_interface, node_class


class Place(Struct):
    """Where."""

    host: str


class Send(Node):
    """Send something.

    Somewhere.
    """

    name = "demo/send"
    version = "1.0.0"
    capabilities = ("docker",)
    retry_safe = True

    class Input(NodeInput):
        api_token: Annotated[Secret[str], Meta(description="The token.")]
        places: list[Place] = []

    class Output(NodeOutput):
        sent: bool

    def execute(self, ctx: object, inputs: Input) -> Output:  # noqa: ARG002
        return self.Output(sent=bool(inputs.places))


class TestManifest:
    def test_whole(self) -> None:
        manifest = manifest_of(Send, distribution="waterflow-demo 1.0.0")
        assert (manifest.name, manifest.version, manifest.interface) == ("demo/send", "1.0.0", "1.0")
        assert manifest.description == "Send something.\n\nSomewhere."
        assert manifest.distribution == "waterflow-demo 1.0.0"
        assert (manifest.capabilities, manifest.retry_safe, manifest.secret_inputs) == (["docker"], True, ["api-token"])
        assert manifest.inputs == {
            "type": "object",
            "properties": {
                "api-token": {
                    "type": "string",
                    "format": "password",
                    "writeOnly": True,
                    "description": "The token.",
                },
                "places": {"type": "array", "items": {"$ref": "#/$defs/Place"}, "default": []},
            },
            "required": ["api-token"],
            "additionalProperties": False,
            "$defs": {
                "Place": {
                    "title": "Place",
                    "description": "Where.",
                    "type": "object",
                    "properties": {"host": {"type": "string"}},
                    "required": ["host"],
                }
            },
        }

    def test_processes_survive_the_agent_only_where_the_node_says_so(self) -> None:
        class Long(Send):
            """Send for long."""

            resumable = True

        assert (manifest_of(Send).resumable, manifest_of(Long).resumable) == (False, True)
        assert manifest_of(Send).digest != manifest_of(Long).digest

    def test_the_schemas_are_valid_and_decide_as_the_types_do(self) -> None:
        schema = manifest_of(Send).inputs
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        assert validator.is_valid({"api-token": "x", "places": [{"host": "a"}]})
        assert not validator.is_valid({"api_token": "x"})

    def test_equal_nodes_have_equal_digests(self) -> None:
        assert manifest_of(Send).digest == manifest_of(Send).digest


class TestInterfaceFence:
    def test_another_minor_version_is_accepted(self) -> None:
        check_interface(type("Newer", (Send,), {"interface": "1.7"}))

    def test_another_major_version_is_refused_with_the_reason(self) -> None:
        with pytest.raises(IncompatibleNode) as error:
            check_node(type("Future", (Send,), {"interface": "2.0"}))
        assert str(error.value) == (
            "demo/send: it was made for node interface 2.0, this waterflow-sdk has 1.0; install a version of its "
            "package that supports interface 1"
        )


def broken(**members: object) -> type[Node]:
    return type("Broken", (Send,), {"__doc__": "Broken.", **members})


def _needs_a_thing(self: Node, thing: object) -> None:
    del self, thing


class SecretOutput(NodeOutput):
    token: Secret[str]


class NoSchema(NodeInput):
    thing: object


PROBLEMS: list[tuple[str, type[Node], str]] = [
    (
        "name",
        broken(name="Send It"),
        "name 'Send It' must be lower case words with / between them, such as slack/notify",
    ),
    ("version", broken(version="1"), "version '1' must be a semantic version, such as 1.0.0"),
    ("description", broken(__doc__=None), "it has no description: give the class a docstring"),
    ("execute", broken(execute=Node.execute), "it has no execute method"),
    ("parameters", broken(execute=lambda self: self), "execute must take the parameters self, ctx and inputs"),
    (
        "constructor",
        broken(__init__=_needs_a_thing),
        "it must be constructible without arguments: one instance is made for each attempt",
    ),
    ("input", broken(Input=dict), "Input must be a subclass of NodeInput"),
    ("output", broken(Output=dict), "Output must be a subclass of NodeOutput"),
    (
        "secret output",
        broken(Output=SecretOutput),
        "output 'token' is a Secret: give it as text, and call ctx.add_mask with it",
    ),
    ("schema", broken(Input=NoSchema), "its manifest cannot be made: type object has no JSON Schema"),
]


class TestConformance:
    def test_a_good_node(self) -> None:
        check_node(Send)

    @pytest.mark.parametrize(("node", "problem"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
    def test_problem(self, node: type[Node], problem: str) -> None:
        with pytest.raises(InvalidNode) as error:
            check_node(node)
        assert error.value.problems == [problem]

    def test_all_problems_are_told_at_once(self) -> None:
        with pytest.raises(InvalidNode) as error:
            check_node(broken(name="?", version="?"))
        assert len(error.value.problems) == 2


class TestEntryPointValues:
    def test_a_class(self) -> None:
        assert node_class(Send) is Send

    @pytest.mark.parametrize("value", [3, Node, dict, "demo/send"], ids=repr)
    def test_something_else(self, value: object) -> None:
        with pytest.raises(InvalidNode) as error:
            node_class(value)
        assert error.value.problems == ["it is neither a subclass of Node nor a function decorated with @node"]
