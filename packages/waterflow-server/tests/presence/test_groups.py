"""Groups that the server keeps: they reach living agents, by every way into a group; wrong changes change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from waterflow_sdk.wire import (
    LEASE_ACTIVITY,
    AgentState,
    AgentStatus,
    GroupPut,
    GroupsApply,
    GroupSpec,
    MembersChange,
    agent_workflow_id,
)
from waterflow_server.groups import (
    GroupConflict,
    GroupExists,
    GroupIncluded,
    GroupNotFound,
    Groups,
    GroupTable,
    InvalidGroups,
    TableStore,
)
from waterflow_server.groups._reconcile import RECONCILE_ID
from waterflow_server.presence import AgentRegistry

from .conftest import PlayedAgent, hello, until

pytestmark = pytest.mark.usefixtures("orchestrator")


@pytest.fixture
def groups(client: Client, registry: AgentRegistry) -> Groups:
    """The service under test."""
    return Groups(client, registry)


@pytest.fixture
def state(registry: AgentRegistry) -> Callable[[], Awaitable[AgentState | None]]:
    """Reads agent ``a1``."""
    return lambda: registry.get("a1")


State = Callable[[], Awaitable[AgentState | None]]


@pytest.fixture
async def agent(client: Client, state: State) -> AsyncIterator[PlayedAgent]:
    """Agent ``a1``, named ``web-01``, tags ``linux`` and ``ssd``, online in the group ``web`` that it names."""
    async with PlayedAgent(client, hello()).polling() as played:
        await played.say_hello()
        await until(state, AgentStatus.ONLINE)
        yield played
        played.stopped.set_result("")


async def told(agent: PlayedAgent) -> list[str]:
    """The groups in the next configuration that the agent gets."""
    return (await asyncio.wait_for(agent.configured.get(), 120)).groups


class TestAskedAtHello:
    async def test_in_the_workflow_task_that_takes_the_hello(self, agent: PlayedAgent, state: State) -> None:
        """Hundreds come back at once from an outage: each workflow task more counts."""
        await agent.say_hello(tags=["again"])
        await until(state, lambda shown: shown.tags == ["again"])
        history = agent.client.get_workflow_handle(agent_workflow_id("a1")).fetch_history_events()
        events = [each async for each in history]
        kinds = [each.WhichOneof("attributes") for each in events]
        accepted = len(kinds) - 1 - kinds[::-1].index("workflow_execution_update_accepted_event_attributes")
        leased = max(
            at
            for at, each in enumerate(events)
            if each.activity_task_scheduled_event_attributes.activity_type.name == LEASE_ACTIVITY
        )
        assert accepted < leased
        assert "marker_recorded_event_attributes" in kinds[accepted:leased]
        assert "workflow_task_scheduled_event_attributes" not in kinds[accepted:leased]

    async def test_an_agent_whose_groups_cannot_be_read_stays_in_its_former_ones(
        self, groups: Groups, agent: PlayedAgent, state: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await groups.create(GroupSpec(name="fast", tags=["ssd"]))
        assert await told(agent) == ["fast", "web"]

        async def broken(_: TableStore) -> GroupTable:
            raise ApplicationError("the groups cannot be read", non_retryable=True)

        monkeypatch.setattr(TableStore, "read", broken)
        await agent.say_hello(tags=["none"])
        shown = await until(state, lambda shown: shown.tags == ["none"])
        assert (shown.status, shown.groups) == (AgentStatus.ONLINE, ["fast", "web"])


class TestReachesTheAgent:
    async def test_by_every_way_into_a_group(self, groups: Groups, agent: PlayedAgent, state: State) -> None:
        await groups.create(GroupSpec(name="eu", agents=["web-01"]))
        assert await told(agent) == ["eu", "web"]
        await groups.create(GroupSpec(name="fast", tags=["ssd"]))
        assert await told(agent) == ["eu", "fast", "web"]
        await groups.create(GroupSpec(name="front", include_groups=["eu"]))
        assert await told(agent) == ["eu", "fast", "front", "web"]
        await until(state, lambda shown: shown.groups == ["eu", "fast", "front", "web"])
        found = await groups.get("front")
        assert [(member.name, member.status, member.sources) for member in found.members] == [
            ("web-01", AgentStatus.ONLINE, ["included"])
        ]
        await groups.put("eu", GroupPut())
        assert await told(agent) == ["fast", "web"]
        await groups.delete("fast")
        assert await told(agent) == ["web"]

    async def test_a_new_agent_is_in_its_groups_from_its_hello_on(
        self, groups: Groups, client: Client, state: State
    ) -> None:
        await groups.create(GroupSpec(name="fast", tags=["ssd"]))
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            assert (await until(state, AgentStatus.ONLINE)).groups == ["fast", "web"]
            assert await told(agent) == ["fast", "web"]
            agent.stopped.set_result("")

    async def test_changed_tags_and_capabilities_change_the_groups(
        self, groups: Groups, agent: PlayedAgent, state: State
    ) -> None:
        await groups.create(GroupSpec(name="containers", tags=["docker"]))
        await groups.create(GroupSpec(name="fast", tags=["ssd"]))
        assert await told(agent) == ["fast", "web"]
        await agent.say_hello(capabilities={"docker": "28.2.2"}, tags=["linux"])
        assert await told(agent) == ["containers", "web"]
        assert (await until(state, lambda shown: shown.groups == ["containers", "web"])).registered == ["web"]

    async def test_what_a_server_announced_and_could_not_finish(
        self, client: Client, agent: PlayedAgent, state: State
    ) -> None:
        """The document is changed, but nobody is left to tell the agents: the announcement before it does."""
        tables = TableStore(client)
        await tables.announce()
        table = msgspec.structs.replace(await tables.read())
        spec = GroupSpec(name="eu", agents=["web-01"])
        now = (await until(state, AgentStatus.ONLINE)).since
        assert now is not None
        await tables._put(lambda current: current.replace({"eu": spec}, now))
        assert table.version == 0
        assert await told(agent) == ["eu", "web"]

    async def test_an_old_version_of_the_groups_that_comes_late_changes_nothing(
        self, client: Client, agent: PlayedAgent
    ) -> None:
        del agent
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        assert await handle.execute_update("assign", args=[["new"], 7]) == ["new", "web"]
        assert await handle.execute_update("assign", args=[["old"], 6]) == ["new", "web"]

    async def test_the_reconciler_ends_when_there_is_nothing_to_do(self, client: Client, groups: Groups) -> None:
        await groups.create(GroupSpec(name="eu"))
        async with asyncio.timeout(120):
            await client.get_workflow_handle(RECONCILE_ID).result()


class TestRead:
    async def test_kept_named_by_agents_and_built_in(self, groups: Groups, agent: PlayedAgent) -> None:
        await groups.create(GroupSpec(name="eu", agents=["web-01", "gone-01"], target="all", description="Europe"))
        await told(agent)
        found = {each.name: each for each in await groups.list()}
        assert {name: (each.size, each.online, each.target, each.version) for name, each in found.items()} == {
            "all-servers": (1, 1, "all", 0),
            "eu": (1, 1, "all", 1),
            "web": (1, 1, "any", 0),
        }
        assert (await groups.get("eu")).absent == ["gone-01"]

    async def test_an_empty_group_is_there(self, groups: Groups) -> None:
        created = await groups.create(GroupSpec(name="eu"))
        assert (created.size, created.version) == (0, 1)

    async def test_an_unknown_one(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="webservers"))
        with pytest.raises(GroupNotFound, match=r"^there is no group 'webserver'; did you mean 'webservers'\?$"):
            await groups.get("webserver")


class TestChange:
    async def test_members_are_listed_and_taken_off(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="eu", agents=["a"]))
        changed = await groups.change_members("eu", MembersChange(add=["b", "c", "a"], remove=["a"]))
        assert changed.agents == ["b", "c"]
        with pytest.raises(InvalidGroups, match=r"^group 'eu' does not list agent 'bb'; did you mean 'b'\?$"):
            await groups.change_members("eu", MembersChange(remove=["bb"]))

    async def test_a_new_group_must_be_new(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="eu"))
        with pytest.raises(GroupExists, match=r"^there is a group 'eu' already$"):
            await groups.create(GroupSpec(name="eu"))

    async def test_a_stale_version(self, groups: Groups) -> None:
        first = await groups.create(GroupSpec(name="eu"))
        second = await groups.put("eu", GroupPut(description="Europe", version=first.version))
        message = rf"^group 'eu' is at version {second.version}, not {first.version}; read it and change it again$"
        with pytest.raises(GroupConflict, match=message):
            await groups.put("eu", GroupPut(version=first.version))
        with pytest.raises(GroupConflict, match=message):
            await groups.delete("eu", first.version)

    async def test_a_version_never_comes_back(self, groups: Groups) -> None:
        first = await groups.create(GroupSpec(name="eu"))
        await groups.delete("eu")
        assert (await groups.create(GroupSpec(name="eu"))).version > first.version

    async def test_a_circle_of_includes(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="a"))
        await groups.create(GroupSpec(name="b", include_groups=["a"]))
        with pytest.raises(InvalidGroups, match=r"^groups include each other in a circle: a → b → a$"):
            await groups.put("a", GroupPut(include_groups=["b"]))

    async def test_two_changes_at_once_cannot_close_a_circle(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="a"))
        await groups.create(GroupSpec(name="b"))
        ends = await asyncio.gather(
            groups.put("a", GroupPut(include_groups=["b"])),
            groups.put("b", GroupPut(include_groups=["a"])),
            return_exceptions=True,
        )
        assert [isinstance(end, InvalidGroups) for end in ends].count(True) == 1

    async def test_racing_changes_lose_nothing(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="eu"))
        await asyncio.gather(*(groups.change_members("eu", MembersChange(add=[f"a{n}"])) for n in range(8)))
        assert sorted((await groups.get("eu")).agents) == [f"a{n}" for n in range(8)]

    async def test_an_unknown_included_group(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="europe"))
        message = r"^group 'front' includes 'eurpe', which is not there; did you mean 'europe'\?$"
        with pytest.raises(InvalidGroups, match=message):
            await groups.create(GroupSpec(name="front", include_groups=["eurpe"]))

    async def test_a_group_that_agents_name_may_be_included(self, groups: Groups, agent: PlayedAgent) -> None:
        await groups.create(GroupSpec(name="front", include_groups=["web"]))
        assert await told(agent) == ["front", "web"]


class TestDelete:
    async def test_refused_while_others_include_it(self, groups: Groups) -> None:
        await groups.create(GroupSpec(name="a"))
        await groups.create(GroupSpec(name="b", include_groups=["a"]))
        with pytest.raises(GroupIncluded, match=r"^group 'a' is included by 'b'; take it out there first$"):
            await groups.delete("a")

    async def test_what_agents_name_themselves(self, groups: Groups, agent: PlayedAgent) -> None:
        del agent
        message = r"^the server does not keep group 'web': web-01 name it themselves, in their own settings$"
        with pytest.raises(GroupNotFound, match=message):
            await groups.delete("web")

    async def test_the_built_in_one(self, groups: Groups) -> None:
        message = r"^'all-servers' is built in: every agent is a member, and nothing about it can be changed$"
        with pytest.raises(InvalidGroups, match=message):
            await groups.delete("all-servers")


class TestApply:
    FIRST = "server_groups: [{name: a, tags: [ssd]}, {name: b, include_groups: [a]}]"
    SECOND = "server_groups: [{name: b, agents: [web-01]}, {name: c}]"

    async def test_all_at_once_with_the_difference(self, groups: Groups) -> None:
        applied = await groups.apply(GroupsApply(yaml=self.FIRST))
        assert [(each.action, each.name) for each in applied.changes] == [("create", "a"), ("create", "b")]
        again = await groups.apply(GroupsApply(yaml=self.FIRST))
        assert (again.changes, again.unchanged) == ([], ["a", "b"])
        second = await groups.apply(GroupsApply(yaml=self.SECOND))
        assert [(each.action, each.name) for each in second.changes] == [("update", "b"), ("create", "c")]
        assert second.changes[0].before == GroupSpec(name="b", include_groups=["a"])
        assert second.changes[0].after == GroupSpec(name="b", agents=["web-01"])

    async def test_a_dry_run_changes_nothing(self, groups: Groups) -> None:
        applied = await groups.apply(GroupsApply(yaml=self.FIRST, dry_run=True))
        assert (len(applied.changes), applied.dry_run) == (2, True)
        assert [group.name for group in await groups.list()] == ["all-servers"]

    async def test_prune_deletes_what_the_file_does_not_name(self, groups: Groups) -> None:
        await groups.apply(GroupsApply(yaml=self.FIRST))
        applied = await groups.apply(GroupsApply(yaml=self.SECOND, prune=True))
        assert [(each.action, each.name) for each in applied.changes] == [
            ("delete", "a"),
            ("update", "b"),
            ("create", "c"),
        ]

    async def test_prune_keeps_what_others_include(self, groups: Groups) -> None:
        await groups.apply(GroupsApply(yaml=self.FIRST))
        with pytest.raises(GroupIncluded):
            await groups.apply(GroupsApply(yaml="server_groups: [{name: b, include_groups: [a]}]", prune=True))
        assert {group.name for group in await groups.list()} == {"a", "all-servers", "b"}

    async def test_a_listed_agent_that_is_not_there_is_a_warning(self, groups: Groups, agent: PlayedAgent) -> None:
        del agent
        applied = await groups.apply(GroupsApply(yaml="server_groups: [{name: a, agents: [web-o1]}]"))
        assert [(each["message"], each["line"], each["column"]) for each in applied.warnings] == [
            ("group 'a' lists agent 'web-o1', which is not there; did you mean 'web-01'?", 1, 36)
        ]

    async def test_a_circle_in_the_file_is_told_with_its_place(self, groups: Groups) -> None:
        text = "server_groups:\n- {name: a, include_groups: [b]}\n- {name: b, include_groups: [a]}\n"
        with pytest.raises(InvalidGroups) as raised:
            await groups.apply(GroupsApply(yaml=text))
        assert raised.value.message == "server-groups.yml:2:29: groups include each other in a circle: a → b → a"
