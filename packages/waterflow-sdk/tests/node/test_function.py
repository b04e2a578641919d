"""``@node``: nodes from plain functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from msgspec import Meta

from waterflow_sdk import InvalidNode, NodeContext, NodeInput, NodeOutput, SyncNodeContext, manifest_of
from waterflow_sdk.node import node, node_class
from waterflow_sdk.testing import run_node


class Greeting(NodeOutput):
    text: str


class GreetInput(NodeInput):
    name: str


@node(name="demo/greet", version="1.0.0", retry_safe=True, resumable=True)
async def greet(ctx: NodeContext, name: Annotated[str, Meta(description="Whom.")], how_often: int = 1) -> Greeting:
    """Say hello."""
    ctx.stdout.write("hello\n")
    return Greeting(text=f"hello {name}" * how_often)


@node(name="demo/struct", version="1.0.0")
def with_struct(ctx: SyncNodeContext, inputs: GreetInput) -> Mapping[str, Any]:
    """Say hello in a thread."""
    ctx.stdout.write("hello\n")
    return {"text": inputs.name}


class TestFunctionNodes:
    def test_parameters_are_inputs(self) -> None:
        result = run_node(greet, {"name": "you", "how-often": 2})
        assert (result.outputs, result.stdout) == ({"text": "hello youhello you"}, "hello")

    def test_manifest(self) -> None:
        manifest = manifest_of(node_class(greet))
        assert (manifest.name, manifest.description, manifest.retry_safe) == ("demo/greet", "Say hello.", True)
        assert manifest.resumable
        assert manifest.inputs["properties"] == {
            "name": {"type": "string", "description": "Whom."},
            "how-often": {"type": "integer", "default": 1},
        }

    def test_one_struct_parameter_and_a_thread(self) -> None:
        assert run_node(with_struct, {"name": "you"}).outputs == {"text": "you"}

    def test_the_function_stays_a_function(self) -> None:
        assert callable(greet)
        assert greet.__name__ == "greet"


def no_context() -> None: ...
def untyped(ctx: Any, thing) -> None: ...  # type: ignore[no-untyped-def]
def many(ctx: Any, *things: str) -> None: ...
def number(ctx: Any) -> int: ...
def unknown(ctx: Any, thing: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


BAD = [
    (no_context, "its first parameter must be the context (ctx)"),
    (untyped, "its parameter 'thing' needs a type and must be a single value"),
    (many, "its parameter 'things' needs a type and must be a single value"),
    (number, "it must return a NodeOutput, a mapping of outputs, or None"),
    (unknown, "a type of its parameters is not known at import: name 'Nowhere' is not defined"),
]


class TestErrors:
    @pytest.mark.parametrize(("function", "problem"), BAD, ids=[function.__name__ for function, _ in BAD])
    def test_problem(self, function: Any, problem: str) -> None:
        with pytest.raises(InvalidNode) as error:
            node(name="demo/bad", version="1.0.0")(function)
        assert error.value.problems == [problem]
