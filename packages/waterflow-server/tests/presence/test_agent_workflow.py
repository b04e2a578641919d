"""One workflow per agent: hello, lease, loss, cordon, removal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from waterflow_sdk.wire import (
    AGENT_WORKFLOW,
    DUPLICATE_SIGNAL,
    HELLO_UPDATE,
    ORCHESTRATOR_QUEUE,
    AgentConfig,
    AgentDuplicate,
    AgentHome,
    AgentState,
    AgentStatus,
    NodeManifest,
    agent_workflow_id,
)
from waterflow_server.presence import AgentRegistry, ByeNote, ModeChange
from waterflow_server.presence._wire import MISSING_MANIFESTS_ACTIVITY

from .conftest import PlayedAgent, hello, until

pytestmark = pytest.mark.usefixtures("orchestrator")


@pytest.fixture
def state(registry: AgentRegistry) -> Callable[[], Awaitable[AgentState | None]]:
    """Reads agent ``a1``."""
    return lambda: registry.get("a1")


MANY = {f"c{number}": "9" * 1000 for number in range(600)}

State = Callable[[], Awaitable[AgentState | None]]


class TestHello:
    async def test_with_the_lease_the_agent_is_online(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, hello()).polling() as agent:
            assert await agent.say_hello() == AgentConfig(groups=["web"])
            shown = await until(state, AgentStatus.ONLINE)
            assert (shown.name, shown.groups, shown.tags, shown.slots) == ("web-01", ["web"], ["linux", "ssd"], 4)
            assert shown.reason == ""
            agent.stopped.set_result("it was stopped")
            assert (await until(state, AgentStatus.OFFLINE)).reason == "it was stopped"

    async def test_load_is_that_of_the_last_heartbeat(self, client: Client, registry: AgentRegistry) -> None:
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            await agent.leased.wait()
            found = await until(lambda: registry.get("web-01"), lambda shown: shown.load is not None)
            assert found.load is not None
            assert (found.load.running, found.load.slots) == (1, 4)
            agent.stopped.set_result("")

    async def test_manifests_are_stored_before_the_agent_is_online(
        self, client: Client, registry: AgentRegistry, state: State
    ) -> None:
        manifest = NodeManifest(name="slack/notify", version="1.0.0")
        said = hello(nodes={"slack/notify": manifest.digest})
        async with PlayedAgent(client, said, [manifest]).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            assert await registry.manifests([manifest.digest, "0" * 64]) == {manifest.digest: manifest}
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            assert agent.asked == [[manifest.digest]]
            agent.stopped.set_result("")

    async def test_a_node_that_it_had_no_more_is_looked_for_again(self, client: Client, state: State) -> None:
        """Its manifest may have been forgotten meanwhile. One that it had all the time is not looked for."""
        manifest = NodeManifest(name="slack/notify", version="1.0.0")
        with_node = {manifest.name: manifest.digest}
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello(heartbeat_timeout=60.0), [manifest]).polling() as agent:
            for number, nodes in enumerate([with_node, with_node, {}, {}, with_node]):
                await agent.say_hello(nodes=nodes, tags=[str(number)])
                await until(state, lambda shown, n=number: shown.tags == [str(n)])
            looked = [
                event
                async for event in handle.fetch_history_events()
                if event.activity_task_scheduled_event_attributes.activity_type.name == MISSING_MANIFESTS_ACTIVITY
            ]
            assert len(looked) == 2
            agent.stopped.set_result("")

    async def test_agents_that_come_at_once_are_asked_once_for_the_nodes_that_they_share(
        self, client: Client, registry: AgentRegistry
    ) -> None:
        manifests = [NodeManifest(name=f"shared/{number}", version="1.0.0") for number in range(30)]
        nodes = {manifest.name: manifest.digest for manifest in manifests}
        hellos = [hello(id=f"many-{number}", nodes=nodes, heartbeat_timeout=60.0) for number in range(8)]
        async with AsyncExitStack() as stack:
            played = (PlayedAgent(client, each, manifests) for each in hellos)
            agents = [await stack.enter_async_context(each.polling()) for each in played]
            await asyncio.gather(*(agent.say_hello() for agent in agents))
            async with asyncio.timeout(120):
                await asyncio.gather(*(agent.leased.wait() for agent in agents))
            asked = [digest for agent in agents for digests in agent.asked for digest in digests]
            assert sorted(asked) == sorted(nodes.values())
            assert (await registry.manifests(asked)).keys() == {*asked}
            for agent in agents:
                agent.stopped.set_result("")

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"wire": "2.0"},
                "the other side speaks wire version '2.0', this side '1.0'; "
                "install versions with the same major number on server and agent",
            ),
            ({"slots": 0}, "agent 'web-01' is refused: it has no slot for a step"),
            ({"name": "a\nb"}, "agent 'a\\nb' is refused: its name must be 1 to 255 printable characters"),
            ({"groups": ["x" * 2100]}, "agent 'web-01' is refused: its groups take more than 2000 bytes"),
            (
                {"heartbeat_timeout": 0.1},
                "agent 'web-01' is refused: its heartbeat time-out must be 1 to 3600 seconds",
            ),
        ],
    )
    async def test_refused(self, client: Client, changes: dict[str, object], message: str) -> None:
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await PlayedAgent(client, hello()).say_hello(**changes)
        assert getattr(raised.value.cause, "message", "") == message

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"id": "a2"},
                "it says hello to 'agent/a1' with the id 'a2', which is another agent's",
            ),
            ({"id": "a1/../a2"}, "its id 'a1/../a2' must consist of letters, digits, `.`, `_` and `-`"),
            ({"id": ""}, "its id must be 1 to 255 printable characters"),
            ({"incarnation": "x" * 256}, "its incarnation must be 1 to 255 printable characters"),
            ({"host": "web-01\x1b[2J"}, "its host must be at most 255 printable characters"),
            ({"version": "9" * 256}, "its version must be at most 255 printable characters"),
            (
                {"home": AgentHome(nonce="1", directory="/a\x1b[2J")},
                "its state directory must have at most 1000 printable characters, and a nonce",
            ),
            ({"tags": ["a\tb"]}, "its tags must not be empty or hold control characters"),
            ({"capabilities": {"docker": "9" * 1001}}, "a capability or node of it takes more than 1000 characters"),
            ({"nodes": {f"n{number}": "0" * 64 for number in range(2001)}}, "it has more than 2000 nodes"),
            (
                {"capabilities": MANY},
                f"its hello takes {len(msgspec.json.encode(hello(capabilities=MANY)))} bytes, the most is 524288",
            ),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    async def test_forged(self, client: Client, changes: dict[str, object], message: str) -> None:
        """Whoever can reach Temporal can say hello; to the workflow of an agent it says what is sound, or nothing."""
        start: Any = WithStartWorkflowOperation(
            AGENT_WORKFLOW,
            id=agent_workflow_id("a1"),
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await client.execute_update_with_start_workflow(
                HELLO_UPDATE, hello(**changes), start_workflow_operation=start, result_type=AgentConfig
            )
        assert getattr(raised.value.cause, "message", "") == f"agent 'web-01' is refused: {message}"


class TestLoss:
    async def test_without_heartbeats_the_agent_is_offline_with_the_reason(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, hello(heartbeat_timeout=2.0)).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await asyncio.wait_for(agent.leased.wait(), 60)
            await asyncio.sleep(0.5)  # at least one heartbeat
            agent.silent.set()
            shown = await until(state, AgentStatus.OFFLINE)
            assert shown.reason.startswith("no heartbeat for 2 s; last heard from at ")
            agent.stopped.set_result("")

    async def test_an_agent_that_never_polls(self, client: Client, state: State) -> None:
        await PlayedAgent(client, hello(heartbeat_timeout=2.0)).say_hello()
        shown = await until(state, lambda shown: shown.reason != "")
        assert shown.status is AgentStatus.OFFLINE
        assert shown.reason == "it did not answer on its control queue within 2 s after its hello"


class TestModes:
    async def test_cordon_reaches_the_agent_and_holds_over_a_new_hello(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await handle.execute_update("cordon", ModeChange(reason="disk is failing"))
            assert (await until(state, AgentStatus.CORDONED)).reason == "disk is failing"
            cordoned = AgentConfig(groups=["web"], status=AgentStatus.CORDONED)
            assert await asyncio.wait_for(agent.configured.get(), 60) == cordoned
            assert await agent.say_hello() == cordoned
            await handle.execute_update("uncordon", ModeChange())
            await until(state, AgentStatus.ONLINE)
            agent.stopped.set_result("")

    async def test_bye_of_this_incarnation_means_draining(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await handle.signal("bye", ByeNote(incarnation="another", reason="not this one"))
            await handle.signal("bye", ByeNote(incarnation="i1", reason="it is stopping"))
            assert (await until(state, AgentStatus.DRAINING)).reason == "it is stopping"
            agent.stopped.set_result("it was stopped")

    async def test_assigned_groups_are_pushed_and_searchable(
        self, client: Client, registry: AgentRegistry, state: State
    ) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            assert await handle.execute_update("assign", ["eu"]) == ["eu", "web"]
            assert (await asyncio.wait_for(agent.configured.get(), 60)).groups == ["eu", "web"]
            await until(state, lambda shown: shown.groups == ["eu", "web"])
            assert await registry.find(groups=["nowhere"]) == []
            agent.stopped.set_result("")

    async def test_who_does_not_hear_its_groups_is_told_again(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello(heartbeat_timeout=30.0)).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            agent.deaf = 2
            await handle.execute_update("assign", ["eu"])
            assert (await asyncio.wait_for(agent.configured.get(), 120)).groups == ["eu", "web"]
            agent.stopped.set_result("")

    async def test_what_is_newer_is_told_instead_of_what_was_not_heard(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello(heartbeat_timeout=30.0)).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            agent.deaf = 1
            await handle.execute_update("assign", ["eu"])
            await handle.execute_update("assign", ["us"])
            assert (await asyncio.wait_for(agent.configured.get(), 120)).groups == ["us", "web"]
            assert agent.configured.empty()
            agent.stopped.set_result("")


class TestRemove:
    async def test_a_living_agent_is_not_removed(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            with pytest.raises(WorkflowUpdateFailedError) as raised:
                await handle.execute_update("remove")
            message = "agent 'web-01' is online; stop it on its host before it is removed"
            assert getattr(raised.value.cause, "message", "") == message
            agent.stopped.set_result("")
            await until(state, AgentStatus.OFFLINE)
            await handle.execute_update("remove")
            await handle.result()
            assert await state() is None


class TestHistory:
    async def test_is_bounded_and_the_state_survives(
        self, client: Client, state: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_server.presence._agent_workflow._EVENTS_PER_RUN", 20)
        async with PlayedAgent(client, hello()).polling() as agent:
            for number in range(6):
                await agent.say_hello(tags=[f"round-{number}"])
                wanted = [f"round-{number}"]
                await until(state, lambda shown, wanted=wanted: shown.tags == wanted)
            description = await client.get_workflow_handle(agent_workflow_id("a1")).describe()
            assert description.history_length < 60
            assert description.raw_description.workflow_execution_info.first_run_id != description.run_id
            agent.stopped.set_result("")

    async def test_is_bounded_by_the_agents_that_it_refuses(
        self, client: Client, state: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_server.presence._agent_workflow._EVENTS_PER_RUN", 20)
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, hello(heartbeat_timeout=60.0)).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            for number in range(12):
                await handle.signal(DUPLICATE_SIGNAL, AgentDuplicate(incarnation=f"other-{number}"))
                await until(state, lambda shown, n=number: getattr(shown.duplicate, "incarnation", "") == f"other-{n}")
            description = await handle.describe()
            assert description.raw_description.workflow_execution_info.first_run_id != description.run_id
            assert (await until(state, AgentStatus.ONLINE)).incarnation == "i1"
            agent.stopped.set_result("")
