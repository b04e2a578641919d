"""Who is in which group, and why."""

from __future__ import annotations

import pytest

from waterflow_sdk.wire import AgentState, AgentStatus, GroupSpec
from waterflow_server.groups import Membership, grouped
from waterflow_server.groups._membership import find_cycle
from waterflow_server.presence import AgentFacts

WEB_01 = AgentFacts(id="id-1", name="web-01", groups=["web"], tags=["docker", "env=prod", "linux", "ssd"])


def sources(*groups: GroupSpec, agent: AgentFacts = WEB_01) -> dict[str, list[str]]:
    """The groups of an agent but for the built-in one, with the reasons."""
    found = Membership(groups).of(agent)
    return {name: list(reasons) for name, reasons in found.items() if name != "all-servers"}


class TestSources:
    def test_every_agent_is_in_all_servers(self) -> None:
        assert Membership([]).of(AgentFacts(id="x", name="x")) == {"all-servers": ["built-in"]}

    @pytest.mark.parametrize("listed", ["id-1", "web-01"])
    def test_listed_by_id_or_name(self, listed: str) -> None:
        assert sources(GroupSpec(name="eu", agents=[listed])) == {"eu": ["listed"], "web": ["registered"]}

    def test_listed_by_id_and_name_is_one_member(self) -> None:
        assert sources(GroupSpec(name="eu", agents=["id-1", "web-01"]))["eu"] == ["listed"]

    def test_registered_by_the_agent_itself(self) -> None:
        assert sources(GroupSpec(name="web")) == {"web": ["registered"]}

    def test_each_reason_is_named(self) -> None:
        web = GroupSpec(name="web", agents=["web-01"], tags=["ssd"], include_groups=["eu"])
        eu = GroupSpec(name="eu", agents=["web-01"])
        assert sources(web, eu)["web"] == ["listed", "registered", "tags", "included"]

    @pytest.mark.parametrize(
        ("tags", "member"),
        [
            (["ssd"], True),
            (["ssd", "linux"], True),
            (["ssd", "gpu"], False),
            (["docker"], True),
            (["env=prod"], True),
            (["env=test"], False),
            (["env"], False),
            (["env=*"], True),
            (["rack=*"], False),
            (["!gpu"], True),
            (["!ssd"], False),
            (["!env=test", "env=*"], True),
            (["!env=*"], False),
            ([], False),
        ],
    )
    def test_all_tags_must_match(self, tags: list[str], member: bool) -> None:
        assert ("eu" in sources(GroupSpec(name="eu", tags=tags))) is member


class TestIncludes:
    def test_members_of_included_groups_over_several_levels(self) -> None:
        groups = [
            GroupSpec(name="all", include_groups=["front"]),
            GroupSpec(name="front", include_groups=["web"]),
        ]
        assert sources(*groups) == {"all": ["included"], "front": ["included"], "web": ["registered"]}

    def test_the_built_in_group_can_be_included(self) -> None:
        assert sources(GroupSpec(name="everybody", include_groups=["all-servers"]))["everybody"] == ["included"]

    def test_two_ways_to_one_group_are_one_reason(self) -> None:
        groups = [
            GroupSpec(name="top", include_groups=["left", "right"]),
            GroupSpec(name="left", include_groups=["web"]),
            GroupSpec(name="right", include_groups=["web"]),
        ]
        assert sources(*groups)["top"] == ["included"]


class TestCycles:
    @pytest.mark.parametrize(
        ("includes", "cycle"),
        [
            ({"a": ["a"]}, ["a", "a"]),
            ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
            ({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]}, ["b", "c", "d", "b"]),
            ({"a": ["b", "c"], "b": ["c"], "c": []}, None),
            ({"a": ["not-there"]}, None),
        ],
    )
    def test_named_in_order(self, includes: dict[str, list[str]], cycle: list[str] | None) -> None:
        groups = {name: GroupSpec(name=name, include_groups=included) for name, included in includes.items()}
        assert find_cycle(groups) == cycle

    def test_a_chain_longer_than_the_stack(self) -> None:
        chain = {f"g{n}": GroupSpec(name=f"g{n}", include_groups=[f"g{n + 1}"]) for n in range(5000)}
        assert find_cycle(chain) is None
        assert len(find_cycle(chain | {"g5000": GroupSpec(name="g5000", include_groups=["g0"])}) or []) == 5002


class TestGrouped:
    def test_groups_that_the_agent_was_not_told_of_yet(self) -> None:
        agent = AgentState(
            id="id-1", name="web-01", status=AgentStatus.ONLINE, groups=["old", "web"], registered=["web"], tags=["ssd"]
        )
        assert grouped([agent], [GroupSpec(name="fast", tags=["ssd"])])[0].groups == ["fast", "web"]

    def test_an_agent_of_an_older_server_does_not_say_which_groups_it_names(self) -> None:
        agent = AgentState(id="id-1", name="web-01", status=AgentStatus.ONLINE, groups=["web"])
        assert grouped([agent], [])[0].groups == ["web"]
