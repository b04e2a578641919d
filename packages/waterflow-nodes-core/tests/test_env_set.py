"""``env/set``: variables for later steps."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_nodes_core.env_set import EnvSet
from waterflow_sdk.testing import run_node


class TestEnvSet:
    def test_one(self) -> None:
        result = run_node(EnvSet, {"name": "STAGE", "value": "production"})
        assert (result.env, result.outputs) == ({"STAGE": "production"}, {"names": ["STAGE"]})

    def test_several_of_all_kinds(self) -> None:
        values = {"A": "x y", "B": 8080, "C": 1.5, "D": True, "E": None}
        assert run_node(EnvSet, {"env": values}).env == {"A": "x y", "B": "8080", "C": "1.5", "D": "true", "E": None}

    def test_text_that_looks_like_a_number_stays(self) -> None:
        assert run_node(EnvSet, {"name": "A", "value": "007"}).env == {"A": "007"}

    def test_both_forms(self) -> None:
        assert run_node(EnvSet, {"name": "A", "value": 1, "env": {"B": 2}}).env == {"A": "1", "B": "2"}


class TestBadInput:
    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({}, "env/set: needs `name` and `value`, or variables in `env`"),
            ({"name": "A", "env": {"A": 1}}, "env/set: A is given twice: by `name` and in `env`"),
            (
                {"env": {"GOOD": 1, "1A": 2}},
                "'1A' is not a name for an environment variable: letters, digits and _ only, no digit first",
            ),
            ({"env": {"A": "x\0"}}, "the value of the environment variable A holds a NUL byte"),
        ],
        ids=["nothing", "twice", "name", "NUL"],
    )
    def test_message(self, inputs: dict[str, Any], message: str) -> None:
        result = run_node(EnvSet, inputs)
        assert result.error is not None
        assert result.error.message == message
        assert result.env == {}
