"""What a part of a plan reads."""

from __future__ import annotations

import pytest

from waterflow_dsl import check
from waterflow_dsl.reads import named, reads

FILE = """
secrets: {TOKEN: {}, KEY: {}, UNDO: {}, INNER: {}}
vars: {app: shop}
jobs:
  a:
    if: vars.app == 'shop'
    env: {T: "x-${{ secrets.TOKEN }}-${{ secrets.KEY }}"}
    steps:
      - run: echo ${{ vars['app'] }} ${{ vars[format('a{0}', 'pp')] }}
        rollback: {run: "undo ${{ secrets.UNDO }}"}
      - if: vars.deep && env.T
        then: [{run: "${{ secrets.INNER }}"}]
"""


def job() -> object:
    plan = check(FILE, variables=["deep"]).plan
    assert plan is not None
    return plan.jobs[0]


class TestReads:
    def test_templates_and_conditions_at_any_depth(self) -> None:
        assert reads(job()) >= {("secrets", "KEY"), ("secrets", "TOKEN"), ("vars", "app"), ("vars", "deep"), ("vars",)}

    def test_text_without_expressions_reads_nothing(self) -> None:
        assert reads({"a": ["secrets.TOKEN", 1, None]}) == frozenset()


class TestNamed:
    def test_the_names_of_one_context(self) -> None:
        assert named(job(), "secrets") == {"KEY", "TOKEN", "UNDO", "INNER"}

    @pytest.mark.parametrize("template", ["${{ toJSON(secrets) }}", "${{ secrets.* }}", "${{ secrets[vars.x] }}"])
    def test_none_where_it_is_read_as_a_whole(self, template: str) -> None:
        assert named(template, "secrets") is None
