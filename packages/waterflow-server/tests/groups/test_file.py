"""``server-groups.yml``: every wrong line is told with its place, all of them at once."""

from __future__ import annotations

import textwrap

import pytest

from waterflow_sdk.wire import GroupSpec
from waterflow_server.groups import InvalidGroups
from waterflow_server.groups._file import parse_groups


def parse(text: str) -> dict[str, GroupSpec]:
    """The groups of a file."""
    return parse_groups(textwrap.dedent(text), "server-groups.yml").specs


class TestTaken:
    def test_every_key(self) -> None:
        found = parse("""
            server_groups:
              - name: web
                description: Web servers
                agents: [web-01, "007"]
                include_groups: [eu]
                tags: [ssd, env=prod, "!gpu"]
                target: all
        """)
        assert found == {
            "web": GroupSpec(
                name="web",
                description="Web servers",
                agents=["web-01", "007"],
                include_groups=["eu"],
                tags=["ssd", "env=prod", "!gpu"],
                target="all",
            )
        }

    def test_numbers_and_words_stay_as_they_are_written(self) -> None:
        assert parse("server_groups: [{name: 007, agents: [1e3, on, 0x10]}]")["007"].agents == ["1e3", "on", "0x10"]

    @pytest.mark.parametrize("text", ["", "# nothing\n", "server_groups: []", "server_groups:"])
    def test_without_groups(self, text: str) -> None:
        assert parse(text) == {}

    @pytest.mark.parametrize("key", ["agents", "include_groups", "tags"])
    def test_a_list_may_be_left_empty(self, key: str) -> None:
        assert parse(f"server_groups: [{{name: web, {key}: }}]") == {"web": GroupSpec(name="web")}

    def test_anchors(self) -> None:
        found = parse("server_groups: [{name: a, tags: &t [ssd]}, {name: b, tags: *t}]")
        assert found["b"].tags == ["ssd"]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("groups: []", "1:1: unknown key `groups`; did you mean 'server_groups'?"),
            ("[]", "1:1: the file has to be a mapping with `server_groups`"),
            ("server_groups: {web: {}}", "1:16: `server_groups` has to be a list"),
            (
                "server_groups: [web]",
                "1:17: a group has to be a mapping with `name`, `description`, `agents`, `include_groups`, `tags`, "
                "`target`",
            ),
            ("server_groups:\n- agents: [a]", "2:3: a group needs a `name`"),
            ("server_groups:\n- name:", "2:8: a value is missing here"),
            (
                "server_groups:\n- name: web\n  include_group: [a]",
                "3:3: unknown key `include_group`; did you mean 'include_groups'?",
            ),
            ("server_groups:\n- name: web\n  name: web", "3:3: `name` is given twice"),
            (
                "server_groups:\n- name: web\n- name: web",
                "3:9: group 'web' is given twice, first in line 2",
            ),
            ("server_groups:\n- name: web\n  agents: web-01", "3:11: `agents` has to be a list"),
            ("server_groups:\n- name: web\n  agents: [[a]]", "3:12: text is expected here"),
            ("server_groups:\n- name: web\n  agents: [a, a]", "3:15: 'a' stands twice in agents"),
            (
                "server_groups:\n- name: web\n  tags:\n  - !gpu",
                "4:5: put '!gpu' into quotes: YAML takes a bare `!` for something of its own",
            ),
            (
                "server_groups:\n- name: web\n  target: every",
                "3:11: target 'every' is neither `any` nor `all`",
            ),
            ("server_groups:\n- name: [", "3:1: not YAML: did not find expected node content"),
            ("a: &a [*a]\nserver_groups: []", "1:1: unknown key `a`"),
            ("server_groups: &a [*a]", "1:16: a group has to be a mapping with"),
            ("[" * 10_000, "1:21: not YAML: nested more than 20 deep"),
            ("a: \x07", "1:1: not YAML: control characters are not allowed"),
            ("#" * 1_100_000, "1:1: the file has more than 1048576 bytes"),
        ],
    )
    def test_message(self, text: str, message: str) -> None:
        with pytest.raises(InvalidGroups) as raised:
            parse_groups(text, "server-groups.yml")
        assert raised.value.message.startswith(f"server-groups.yml:{message}")

    def test_all_at_once_with_their_places(self) -> None:
        with pytest.raises(InvalidGroups) as raised:
            parse("""\
                server_groups:
                - {name: a b}
                - {name: web, tagz: [x]}
                - {name: app, tags: [a b]}
                - {name: db, target: some}
            """)
        assert raised.value.message.endswith(" (and 1 more)")
        places = [(error["line"], error["column"], error["path"]) for error in raised.value.details["errors"]]
        assert places == [(2, 10, "a b.name"), (3, 15, ""), (4, 22, "app.tags[0]"), (5, 22, "db.target")]

    def test_ten_thousand_groups(self) -> None:
        lines = "\n".join(f"- {{name: g{number}, agents: [a{number}]}}" for number in range(10_000))
        with pytest.raises(InvalidGroups) as raised:
            parse_groups(f"server_groups:\n{lines}", "many.yml")
        assert raised.value.message == "many.yml:1002:3: the file has more than 1000 groups"
