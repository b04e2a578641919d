"""Names of groups, listed agents and tag expressions: what is taken, and what each wrong one is told."""

from __future__ import annotations

import pytest

from waterflow_sdk.wire import GroupSpec
from waterflow_server.groups._names import MAX_AGENTS, name_problem, spec_problems, term_problem

LETTERS = "it needs 1 to 63 letters, digits, `.`, `_` or `-`, the first of them a letter or a digit"


class TestGroupName:
    @pytest.mark.parametrize("name", ["web", "web-01", "eu.web_2", "7th", "生产", "x" * 63])
    def test_taken(self, name: str) -> None:
        assert name_problem(name) == ""

    @pytest.mark.parametrize(
        "name", ["", "-web", ".web", "_web", "web servers", "web/eu", "web\n", "web\0", "${{ x }}", "'; drop", "é́?"]
    )
    def test_refused(self, name: str) -> None:
        assert name_problem(name) == f"{name!r} cannot be the name of a group: {LETTERS}"

    def test_a_long_one_is_not_repeated_whole(self) -> None:
        assert name_problem("x" * 10_000) == f"'{'x' * 77}…' cannot be the name of a group: {LETTERS}"

    def test_the_built_in_one(self) -> None:
        assert name_problem("all-servers") == (
            "'all-servers' is built in: every agent is a member, and nothing about it can be changed"
        )


class TestTagExpression:
    @pytest.mark.parametrize("term", ["ssd", "env=prod", "env=*", "!ssd", "!env=prod", "!env=*", "rack:7", "生产"])
    def test_taken(self, term: str) -> None:
        assert term_problem(term) == ""

    @pytest.mark.parametrize("term", ["", "!", "!!ssd", "=prod", "env=", "a b", "a,b", "env=a=b", "*", "e*", "x" * 201])
    def test_refused(self, term: str) -> None:
        assert term_problem(term).endswith(
            "is no tag expression: write `ssd`, `env=prod`, `env=*`, or one of these after a `!`"
        )


class TestGroup:
    @pytest.mark.parametrize(
        ("given", "path", "problem"),
        [
            ({"agents": ["web-01", "web-01"]}, "agents[1]", "'web-01' stands twice in agents"),
            ({"agents": ["a\nb"]}, "agents[0]", "'a\\nb' cannot be the id or name of an agent"),
            ({"agents": [""]}, "agents[0]", "'' cannot be the id or name of an agent"),
            (
                {"agents": [f"a{n}" for n in range(MAX_AGENTS + 1)]},
                "agents",
                "agents has 2001 entries, at most 2000",
            ),
            ({"include_groups": [""]}, "include_groups[0]", "'' cannot be the name of a group"),
            ({"tags": ["ssd", "ssd"]}, "tags[1]", "'ssd' stands twice in tags"),
            ({"description": "x" * 501}, "description", "the description has more than 500 characters"),
            ({"target": "al"}, "target", "target 'al' is neither `any` nor `all`; did you mean 'all'?"),
        ],
    )
    def test_refused(self, given: dict[str, object], path: str, problem: str) -> None:
        assert spec_problems(GroupSpec(name="web", **given)) == [(path, problem)]  # type: ignore[arg-type]
