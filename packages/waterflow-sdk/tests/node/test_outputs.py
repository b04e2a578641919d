"""Outputs of a node: what it returned, and what it gave with ``set_output``, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from waterflow_sdk import InvalidOutput, Node, NodeOutput, OutputTooLarge
from waterflow_sdk.node import dump_outputs


class Closed(Node):
    """Declares all its outputs."""

    name = "demo/closed"
    version = "1.0.0"

    class Output(NodeOutput):
        exit_code: int
        path: Path | None = None


class Open(Node):
    """Knows some outputs only when it has run."""

    name = "demo/open"
    version = "1.0.0"

    class Output(NodeOutput):
        count: int = 0
        schema_extra = {"additionalProperties": True}


class Untyped(Node):
    """Declares nothing."""

    name = "demo/untyped"
    version = "1.0.0"


class TestForm:
    def test_kebab_case_and_paths_as_text(self) -> None:
        returned = Closed.Output(exit_code=0, path=Path("/tmp/x"))
        assert dump_outputs(Closed, returned) == {"exit-code": 0, "path": "/tmp/x"}

    def test_a_mapping_stands_for_the_output(self) -> None:
        assert dump_outputs(Closed, {"exit-code": 1}) == {"exit-code": 1, "path": None}

    def test_a_node_without_types_gives_any_mapping_or_nothing(self) -> None:
        assert dump_outputs(Untyped, {"a": [1, None]}) == {"a": [1, None]}
        assert dump_outputs(Untyped, None) == {}

    def test_names_known_only_at_run_time(self) -> None:
        assert dump_outputs(Open, Open.Output(count=1), {"extra": "x"}) == {"count": 1, "extra": "x"}


BAD: list[tuple[str, type[Node], Any, dict[str, Any], str]] = [
    ("nothing", Closed, None, {}, "demo/closed returned nothing, but declares the output 'exit-code'"),
    (
        "undeclared",
        Closed,
        {"exit-code": 0},
        {"extra": 1},
        "demo/closed gave the output 'extra', which it does not declare",
    ),
    (
        "wrong type",
        Closed,
        {"exit-code": "x"},
        {},
        "demo/closed returned outputs that it does not declare: Expected `int`, got `str` - at `$.exit-code`",
    ),
    ("no mapping", Untyped, 3, {}, "demo/untyped returned int, not a mapping of outputs"),
    (
        "no JSON",
        Untyped,
        {"a": object()},
        {},
        "demo/untyped returned an output that is no JSON: a value of type object",
    ),
]


class TestErrors:
    @pytest.mark.parametrize(("node", "returned", "extra", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
    def test_message(self, node: type[Node], returned: Any, extra: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidOutput) as error:
            dump_outputs(node, returned, extra)
        assert str(error.value) == message

    def test_too_large_names_the_largest_and_the_remedy(self) -> None:
        with pytest.raises(OutputTooLarge) as error:
            dump_outputs(Untyped, {"small": 1, "text": "x" * 65_536})
        assert str(error.value) == (
            "the outputs of demo/untyped take 65,557 bytes, at most 65,536 are allowed; the largest is 'text' with "
            "65,538 bytes: write it to a file and give its path"
        )

    def test_just_fits(self) -> None:
        assert dump_outputs(Untyped, {"t": "x" * (65_536 - 8)})
