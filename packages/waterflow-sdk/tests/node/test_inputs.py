"""Inputs of a node: from the JSON of ``with`` to its ``Input``."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from waterflow_sdk import InvalidInput, Node, NodeInput, Secret
from waterflow_sdk.node import load_inputs


class Place(Struct):
    host: str
    port: int = 80


class Send(Node):
    """Send something."""

    name = "demo/send"
    version = "1.0.0"

    class Input(NodeInput):
        retry_count: Annotated[int, Meta(ge=0, description="How often.")] = 3
        message: str
        token: Secret[str] | None = None
        places: list[Place] = []
        dry_run: bool = False
        delay: float = 1.0

        def __post_init__(self) -> None:
            if self.message == "both":
                raise ValueError("Give one, not both")


class Untyped(Node):
    """Whatever."""

    name = "demo/untyped"
    version = "1.0.0"
    input_schema = {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    }


class TestNames:
    def test_underscores_are_hyphens_in_yaml(self) -> None:
        assert load_inputs(Send, {"message": "hi", "retry-count": 5}).retry_count == 5

    def test_fields_with_and_without_default_in_any_order(self) -> None:
        assert load_inputs(Send, {"message": "hi"}) == Send.Input(message="hi", retry_count=3)


class TestSecrets:
    def test_a_secret_is_hidden_and_revealed(self) -> None:
        token = load_inputs(Send, {"message": "hi", "token": "s3cret"}).token
        assert (str(token), repr(token), f"{token}", token.reveal()) == ("***", "***", "***", "s3cret")

    def test_a_wrong_secret_is_not_quoted(self) -> None:
        with pytest.raises(InvalidInput) as error:
            load_inputs(Send, {"message": "hi", "token": ["s3cret"]})
        assert "s3cret" not in str(error.value)


class TestText:
    """Expressions often give text, so numbers and booleans are accepted as text."""

    def test_numbers_and_booleans_as_text(self) -> None:
        inputs = load_inputs(Send, {"message": "hi", "retry-count": "7", "dry-run": "true", "delay": "0.5"})
        assert (inputs.retry_count, inputs.dry_run, inputs.delay) == (7, True, 0.5)


BAD: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("missing", {}, "demo/send needs the input 'message'", "message"),
    (
        "unknown with a near name",
        {"message": "hi", "retry_cout": 1},
        "demo/send has no input 'retry_cout'; did you mean 'retry-count'?",
        "retry_cout",
    ),
    (
        "unknown without one",
        {"message": "hi", "zzz": 1},
        "demo/send has no input 'zzz'; it has delay, dry-run, message, places, retry-count, token",
        "zzz",
    ),
    ("wrong type", {"message": 3}, "input 'message' of demo/send: expected `str`, got `int`", "message"),
    (
        "out of range",
        {"message": "hi", "retry-count": -1},
        "input 'retry-count' of demo/send: expected `int` >= 0",
        "retry-count",
    ),
    (
        "wrong in depth",
        {"message": "hi", "places": [{"host": "a"}, {"host": "b", "port": "x"}]},
        "input 'places[1].port' of demo/send: expected `int`, got `str`",
        "places[1].port",
    ),
    (
        "missing in depth",
        {"message": "hi", "places": [{}]},
        "demo/send needs the input 'places[0].host'",
        "places[0].host",
    ),
    ("against each other", {"message": "both"}, "demo/send: Give one, not both", None),
]


class TestErrors:
    @pytest.mark.parametrize(("values", "message", "name"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
    def test_message(self, values: dict[str, Any], message: str, name: str | None) -> None:
        with pytest.raises(InvalidInput) as error:
            load_inputs(Send, values)
        assert (str(error.value), error.value.details.get("input")) == (message, name)
        assert (error.value.code, error.value.retryable) == ("invalid-input", False)


class TestWithoutTypes:
    def test_inputs_are_a_plain_dict(self) -> None:
        assert load_inputs(Untyped, {"path": "/tmp"}) == {"path": "/tmp"}

    def test_required(self) -> None:
        with pytest.raises(InvalidInput, match=r"^demo/untyped needs the input 'path'$"):
            load_inputs(Untyped, {})

    def test_unknown(self) -> None:
        with pytest.raises(InvalidInput, match=r"^demo/untyped has no input 'pth'; did you mean 'path'\?$"):
            load_inputs(Untyped, {"pth": "/tmp"})
