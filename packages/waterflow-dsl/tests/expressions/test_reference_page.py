"""The examples of `docs/reference/expressions.md` are true, and its tables of functions are complete."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from waterflow_dsl.expressions import FUNCTIONS, ExpressionError, evaluate, interpolate

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "expressions.md").read_text("utf-8")
HOST = {"success": lambda: True, "cancelled": lambda: False, "always": lambda: True}


def blocks(info: str) -> list[str]:
    return re.findall(rf"^```{info}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    lines = [line for block in blocks("expression") for line in block.splitlines()]
    return [(text.strip(), result) for text, _, result in (line.rpartition(" => ") for line in lines)]


CONTEXTS: dict[str, Any] = json.loads(blocks("json contexts")[0])


@pytest.mark.parametrize(("text", "result"), examples())
def test_example(text: str, result: str) -> None:
    if result.startswith("error: "):
        with pytest.raises(ExpressionError) as caught:
            evaluate(text, CONTEXTS, functions=HOST)
        assert str(caught.value) == result.removeprefix("error: ")
    else:
        value, expected = evaluate(text, CONTEXTS, functions=HOST), json.loads(result)
        assert (value, isinstance(value, bool)) == (expected, isinstance(expected, bool))


def test_there_is_an_example_of_every_function_that_needs_no_files_or_clock() -> None:
    shown = {name.lower() for text, _ in examples() for name in re.findall(r"(\w+)\(", text)}
    assert {name for name in FUNCTIONS if name.lower() not in shown} == {"failure", "hashFiles", "now"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_listed_with_its_arity_and_meaning(name: str) -> None:
    function = FUNCTIONS[name]
    fewest, most = function.minimum, function.maximum
    arity = str(fewest) if fewest == most else f"{fewest}–{most}"
    assert f"| `{function.signature}` | {arity} | {function.summary} |" in PAGE


def test_the_program_does_what_its_comments_say() -> None:
    (program,) = blocks("python")
    lines = [
        line.partition("  # ") for line in program.splitlines() if "  # '" in line or "  # [" in line or "# T" in line
    ]
    assert len(lines) == 3
    for call, _, expected in lines:
        assert repr(eval(call, {"evaluate": evaluate, "interpolate": interpolate})) == expected
