"""``assert_conforms``: what the tests of a node pack check."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta

from waterflow_sdk import Node, NodeContext, NodeExample, NodeInput, NodeOutput
from waterflow_sdk.testing import assert_conforms


class Good(Node):
    """Say something."""

    name = "demo/say"
    version = "1.0.0"
    examples = (NodeExample(title="Say it", yaml="- uses: demo/say\n  with: {text: hello}\n"),)

    class Input(NodeInput):
        text: Annotated[str, Meta(description="What.")]

    class Output(NodeOutput):
        said: Annotated[bool, Meta(description="Whether.")] = True

    async def execute(self, ctx: NodeContext, inputs: Input) -> Output:
        ctx.stdout.write(inputs.text)
        return self.Output()


class Bare(NodeInput):
    text: str


class TestConformance:
    def test_a_good_node(self) -> None:
        assert assert_conforms(Good).name == "demo/say"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"Input": Bare}, "input 'text' has no description: Annotated[…, Meta(description=…)]"),
            ({"examples": ()}, "it has no examples"),
            (
                {"examples": (NodeExample(title="x", yaml="- uses: demo/other"),)},
                "example 'x' does not use it: no 'uses: demo/say' in its YAML",
            ),
            ({"version": "one"}, "version 'one' must be a semantic version, such as 1.0.0"),
        ],
        ids=["description", "no example", "example of another", "not well made"],
    )
    def test_problem(self, change: dict[str, object], message: str) -> None:
        with pytest.raises(AssertionError) as error:
            assert_conforms(type("Bad", (Good,), {"__doc__": "Bad.", **change}))
        assert str(error.value) == message
