"""Which members can run a job at all: they have its nodes, and on their hosts what the nodes need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from waterflow_sdk.wire import AgentLoad, AgentState, AgentStatus, NodeManifest
from waterflow_server.presence import AgentRegistry
from waterflow_server.presence._choice import Chooser
from waterflow_server.presence._wire import AgentChoice, ChoiceQuery

MANIFEST = NodeManifest(name="docker/exec", version="1.0.0", capabilities=["docker 20"])
NODES = {"docker/exec": MANIFEST.digest}
OFFLINE = AgentStatus.OFFLINE


def member(name: str, docker: str = "", **given: Any) -> AgentState:
    """An idle agent that has the node; ``docker`` is the version on its host."""
    load = AgentLoad(time=datetime.now(UTC), running=0, slots=4)
    capabilities = {"docker": docker} if docker else {}
    fields: dict[str, Any] = {"status": AgentStatus.ONLINE, "nodes": NODES, **given}
    return AgentState(id=name, name=name, capabilities=capabilities, slots=4, load=load, **fields)


class Members:
    """A registry of a few agents."""

    def __init__(self, *members: AgentState) -> None:
        self._members = {each.id: each for each in members}

    async def find(self, **_target: Any) -> list[AgentState]:
        return list(self._members.values())

    async def get(self, agent: str) -> AgentState | None:
        return self._members.get(agent)

    async def manifests(self, digests: Iterable[str]) -> dict[str, NodeManifest]:
        return {digest: MANIFEST for digest in digests if digest == MANIFEST.digest}


async def choose(*members: AgentState, strict: bool) -> AgentChoice:
    """Who of them takes a job with the node."""
    chooser = Chooser(cast("AgentRegistry", Members(*members)))
    return await chooser.choose(ChoiceQuery(groups=["web"], nodes=["docker/exec"], strict=strict))


class TestWhoHasWhatTheNodeNeeds:
    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize(
        "other",
        [member("a"), member("a", "19.3.15"), member("a", "28.2.2", nodes={})],
        ids=["no Docker", "an old Docker", "no node"],
    )
    async def test_goes_before_who_lacks_it(self, other: AgentState, strict: bool) -> None:
        choice = await choose(other, member("b", "28.2.2"), strict=strict)
        assert choice.agent is not None
        assert choice.agent.name == "b"


class TestWhereNobodyHasIt:
    async def test_anybody_takes_the_job(self) -> None:
        assert (await choose(member("a"), strict=False)).agent is not None

    async def test_nobody_does_where_only_they_may(self) -> None:
        assert await choose(member("a"), strict=True) == AgentChoice()

    async def test_those_who_are_offline_are_told_of(self) -> None:
        choice = await choose(member("a"), member("b", "28.2.2", status=OFFLINE), strict=True)
        assert choice.agent is None
        assert [(each.name, each.status) for each in choice.members] == [("b", OFFLINE)]
