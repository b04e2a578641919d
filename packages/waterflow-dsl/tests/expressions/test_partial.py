"""Evaluation before everything is known."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_dsl.expressions import ExpressionError, Unknown, evaluate_in_part

ENDS = Unknown("how `build` ends")
STEP = Unknown("the step `list`")
CONTEXTS: dict[str, Any] = {
    "inputs": {"env": "prod", "Dry": False},
    "vars": {"regions": ["eu", "us"], "mixed": ["eu", STEP]},
    "needs": {"build": {"result": ENDS, "outputs": {}}, "lint": {"result": "skipped", "outputs": {}}},
    "steps": STEP,
}
FUNCTIONS: dict[str, Any] = {"always": lambda: True, "failure": lambda: False, "success": ENDS}


def value(expression: str) -> object:
    return evaluate_in_part(expression, CONTEXTS, FUNCTIONS)


class TestKnown:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("", None),
            ("inputs.env == 'prod'", True),
            ("INPUTS.dry", False),
            ("inputs.nothing", None),
            ("needs.lint.result", "skipped"),
            ("needs.build.outputs.url", None),
            ("join(vars.regions, '+')", "eu+us"),
            ("vars.mixed[0]", "eu"),
            ("(inputs.env || 'x') == 'prod'", True),
            ("always()", True),
        ],
    )
    def test_what_needs_nothing_unknown_has_its_value(self, expression: str, expected: object) -> None:
        assert value(expression) == expected

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("inputs.dry && success()", False),
            ("always() || success()", True),
            ("inputs.env == 'dev' && steps.list.outputs.x", False),
            ("!(inputs.env == 'dev' && success())", True),
            ("!(success() && false)", True),
            ("failure() && needs.build.result == 'failure'", False),
        ],
    )
    def test_an_operand_that_decides_alone_decides(self, expression: str, expected: object) -> None:
        assert value(expression) is expected


class TestUnknown:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("success()", ENDS),
            ("success() && inputs.env == 'prod'", ENDS),
            ("needs.build.result == 'success'", ENDS),
            ("toJSON(needs)", ENDS),
            ("needs.*.result", ENDS),
            ("steps.list.outputs.hosts", STEP),
            ("vars.mixed[1]", STEP),
            ("!steps.list.outputs.ok", STEP),
            ("case(steps.list, 1, 2)", STEP),
            ("matrix.os", Unknown("`matrix`")),
            ("hashFiles('*.lock')", Unknown("`hashFiles()`")),
        ],
    )
    def test_says_what_it_depends_on(self, expression: str, expected: Unknown) -> None:
        assert value(expression) == expected

    @pytest.mark.parametrize(
        ("expression", "truthy"), [("success() && false", False), ("steps.list.outputs.a || 'default'", True)]
    )
    def test_its_truth_may_be_certain_all_the_same(self, expression: str, truthy: bool) -> None:
        found = value(expression)
        assert isinstance(found, Unknown)
        assert found.truthy is truthy


class TestErrors:
    def test_what_is_known_and_cannot_be_evaluated_is_an_error(self) -> None:
        with pytest.raises(ExpressionError):
            value("fromJSON(inputs.env)")
