"""The catalog: nodes of all agents, versions, and the interpreter's own."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from waterflow_sdk.wire import AgentState, AgentStatus, BrokenNode, NodeManifest
from waterflow_server.catalog import NodeCatalog, NodeNotFound

OLD = NodeManifest(name="docker/exec", version="1.9.0", retry_safe=True)
NEW = NodeManifest(name="docker/exec", version="1.10.0")
UNSTORED = NodeManifest(name="slack/notify", version="1.0.0")


def agent(name: str, *nodes: NodeManifest, status: AgentStatus = AgentStatus.ONLINE) -> AgentState:
    digests = {node.name: node.digest for node in nodes}
    return AgentState(id=f"id-{name}", name=name, status=status, groups=["web"], nodes=digests)


class Agents:
    """Three agents, two versions of one node, one manifest that is not stored yet."""

    def __init__(self) -> None:
        self.listed = 0
        self.states = [
            agent("web-01", OLD),
            agent("web-02", NEW, UNSTORED),
            agent("web-03", NEW, status=AgentStatus.OFFLINE),
        ]

    async def list(self) -> list[AgentState]:
        self.listed += 1
        await asyncio.sleep(0)
        return self.states

    async def manifests(self, digests: set[str]) -> dict[str, NodeManifest]:
        return {node.digest: node for node in (OLD, NEW) if node.digest in digests}


@pytest.fixture
def agents() -> Agents:
    return Agents()


@pytest.fixture
def catalog(agents: Agents) -> NodeCatalog:
    return NodeCatalog(agents)


class TestNodes:
    async def test_each_version_with_the_agents_that_have_it_the_newest_first(self, catalog: NodeCatalog) -> None:
        found = [entry for entry in await catalog.nodes() if entry.manifest.name == "docker/exec"]
        assert [(entry.manifest.version, entry.agents, entry.control) for entry in found] == [
            ("1.10.0", ["web-02", "web-03"], False),
            ("1.9.0", ["web-01"], False),
        ]

    async def test_those_of_the_interpreter_and_the_structures_of_the_language(self, catalog: NodeCatalog) -> None:
        control = {entry.manifest.name for entry in await catalog.nodes() if entry.control}
        assert {"sleep", "approval", "condition", "loop", "parallel"} <= control

    async def test_they_are_by_name(self, catalog: NodeCatalog) -> None:
        names = [entry.manifest.name for entry in await catalog.nodes()]
        assert names == sorted(names)


class TestNode:
    async def test_the_newest_version(self, catalog: NodeCatalog) -> None:
        assert (await catalog.node("docker/exec")).manifest.version == "1.10.0"

    async def test_one_that_nobody_has_names_the_nearest(self, catalog: NodeCatalog) -> None:
        with pytest.raises(NodeNotFound) as caught:
            await catalog.node("docker/exe")
        assert caught.value.message == "no agent has a node 'docker/exe'; did you mean 'docker/exec'?"

    async def test_one_that_is_broken_says_why(self, agents: Agents, catalog: NodeCatalog) -> None:
        broken = BrokenNode(name="disk/check", source="waterflow-disk 1.0.0", reason="NameError: x")
        agents.states[1] = msgspec.structs.replace(agents.states[1], broken_nodes=[broken])
        why = "agent web-02 cannot use it: NameError: x (from waterflow-disk 1.0.0)"
        with pytest.raises(NodeNotFound) as caught:
            await catalog.node("disk/check")
        assert caught.value.message == f"no agent has a node 'disk/check'; {why}"
        assert (await catalog.snapshot()).language.broken == {"disk/check": why}


class TestLanguage:
    async def test_groups_and_agents(self, catalog: NodeCatalog) -> None:
        language = (await catalog.snapshot()).language
        assert language.groups == {"all-servers", "web"}
        assert language.agents == {"web-01", "web-02", "web-03", "id-web-01", "id-web-02", "id-web-03"}

    async def test_what_some_member_of_each_group_has(self, agents: Agents, catalog: NodeCatalog) -> None:
        agents.states += [
            AgentState(id="1", name="a", status=AgentStatus.ONLINE, groups=["web"], capabilities={"docker": "27.1"}),
            AgentState(id="2", name="b", status=AgentStatus.OFFLINE, groups=["db"], capabilities={"git": "2.47"}),
        ]
        assert (await catalog.snapshot()).language.capabilities == {
            "all-servers": {"docker", "git"},
            "web": {"docker"},
            "db": {"git"},
        }

    async def test_the_newest_version_is_what_is_checked_against(self, catalog: NodeCatalog) -> None:
        snapshot = await catalog.snapshot()
        assert snapshot.language.nodes["docker/exec"].version == "1.10.0"
        assert snapshot.retry_safe == []

    async def test_a_node_whose_manifest_is_still_on_its_way_takes_anything(self, catalog: NodeCatalog) -> None:
        assert (await catalog.snapshot()).language.nodes["slack/notify"].inputs == {}


class TestAge:
    async def test_those_who_ask_at_once_share_one_read(self, catalog: NodeCatalog, agents: Agents) -> None:
        await asyncio.gather(*(catalog.nodes() for _ in range(10)))
        assert agents.listed == 1

    async def test_nobody_gets_an_older_one_than_asked_for(self, catalog: NodeCatalog, agents: Agents) -> None:
        await catalog.snapshot()
        await catalog.snapshot(max_age=0.0)
        assert agents.listed == 2
