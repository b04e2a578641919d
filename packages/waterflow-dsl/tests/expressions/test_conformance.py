"""Every case of `conformance/expressions`: its value, or the whole of its error."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from waterflow_dsl.expressions import ExpressionError, evaluate, interpolate

FOLDER = Path(__file__).parents[4] / "conformance" / "expressions"

_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


def load_cases() -> list[Any]:
    """Every case of every file, named by its file and its own name."""
    cases: list[Any] = []
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text("utf-8"), parse_int=float):
            cases.append(pytest.param(decode(case), id=f"{path.stem}: {case['name']}"))
    return cases


def decode(value: Any) -> Any:
    """JSON with `{"$number": "NaN"}` for the numbers that JSON lacks and `{"$repeat": ["x", 3]}` for long text."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$number" in value:
        return _NUMBERS[value["$number"]]
    if "$concat" in value:
        return "".join(decode(part) for part in value["$concat"])
    if "$repeat" in value:
        text, times = value["$repeat"]
        return text * int(times)
    return {key: decode(item) for key, item in value.items()}


def same(left: Any, right: Any) -> bool:
    """Equality that tells booleans from numbers and -0 from 0, and takes NaN as equal to itself."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return type(left) is type(right) and left == right


CASES = load_cases()


def run(case: dict[str, Any]) -> object:
    answers = case.get("functions", {})
    options: dict[str, Any] = {
        "dialect": case.get("dialect", "waterflow"),
        "functions": {name: lambda *_arguments, answer=answer: answer for name, answer in answers.items()},
    }
    if "template" in case:
        return interpolate(case["template"], case.get("contexts", {}), **options)
    return evaluate(case["expression"], case.get("contexts", {}), **options)


@pytest.mark.parametrize("case", [case for case in CASES if "value" in case.values[0]])
def test_value(case: dict[str, Any]) -> None:
    value = run(case)
    assert same(value, case["value"]), f"{value!r} instead of {case['value']!r}"


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case.values[0]])
def test_error(case: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError) as caught:
        run(case)
    error, expected = caught.value, case["error"]
    assert (error.kind, error.position, error.message) == (
        expected["kind"],
        expected["position"],
        expected["message"],
    )
    assert str(error) == expected["message"]


class TestData:
    def test_there_are_hundreds_of_cases_in_a_file_for_each_part(self) -> None:
        assert len(CASES) >= 500
        assert len(list(FOLDER.glob("*.json"))) >= 15

    def test_names_are_unique_so_that_a_failure_names_one_case(self) -> None:
        assert [name for name, times in Counter(case.id for case in CASES).items() if times > 1] == []

    def test_a_case_has_an_input_and_one_outcome(self) -> None:
        for case in CASES:
            data = case.values[0]
            assert ("expression" in data) != ("template" in data), case.id
            assert ("value" in data) != ("error" in data), case.id

    def test_every_part_has_passing_and_failing_cases(self) -> None:
        passing = {case.id.partition(":")[0] for case in CASES if "value" in case.values[0]}
        failing = {case.id.partition(":")[0] for case in CASES if "error" in case.values[0]}
        assert passing == failing == {path.stem for path in FOLDER.glob("*.json")}
