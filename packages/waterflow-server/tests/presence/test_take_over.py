"""Two agents with one id: one that was started again takes over, another one is refused and shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from waterflow_sdk.wire import (
    DUPLICATE_SIGNAL,
    AgentDuplicate,
    AgentHello,
    AgentHome,
    AgentState,
    AgentStatus,
    agent_workflow_id,
)
from waterflow_server.presence import AgentRegistry, ByeNote, ModeChange

from .conftest import PlayedAgent, hello, until

pytestmark = pytest.mark.usefixtures("orchestrator")

HOME = AgentHome(nonce="n1", directory="/srv/a", process=7)
OTHER_HOME = AgentHome(nonce="n2", directory="/srv/b", process=9)

State = Callable[[], Awaitable[AgentState | None]]


def steady(**changes: Any) -> AgentHello:
    """A hello of an agent that keeps its lease however busy the machine is."""
    return hello(heartbeat_timeout=60.0, **changes)


@pytest.fixture
def state(registry: AgentRegistry) -> State:
    """Reads agent ``a1``."""
    return lambda: registry.get("a1")


class TestTakeOver:
    async def test_a_new_incarnation_on_the_same_host(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, steady()).polling() as former:
            await former.say_hello()
            await until(state, AgentStatus.ONLINE)
            await former.say_hello(incarnation="i2")
            await until(state, lambda shown: shown.incarnation == "i2")
            former.stopped.set_result("")

    async def test_another_host_is_refused_while_the_lease_beats(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, steady()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            with pytest.raises(WorkflowUpdateFailedError) as raised:
                await agent.say_hello(host="clone.example.com", incarnation="i2")
            assert getattr(raised.value.cause, "message", "") == (
                "agent id 'a1' is in use: 'web-01' on host 'web-01.example.com' holds its lease, and this is another "
                "agent, on host 'clone.example.com'. Stop that one, or give this one an id of its own: another "
                "`agent.id` where its settings have one, else a new state directory."
            )
            agent.stopped.set_result("it was stopped")
            await until(state, AgentStatus.OFFLINE)
            await agent.say_hello(host="clone.example.com", incarnation="i2")

    async def test_the_same_state_directory(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, steady(home=HOME)).polling() as former:
            await former.say_hello()
            assert (await until(state, AgentStatus.ONLINE)).directory == "/srv/a"
            await former.say_hello(incarnation="i2", home=msgspec.structs.replace(HOME, process=8))
            assert (await until(state, lambda shown: shown.incarnation == "i2")).process == 8
            former.stopped.set_result("")

    async def test_another_state_directory_of_the_same_host_is_refused(self, client: Client, state: State) -> None:
        async with PlayedAgent(client, steady(home=HOME)).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            with pytest.raises(WorkflowUpdateFailedError) as raised:
                await agent.say_hello(incarnation="i2", home=OTHER_HOME)
            assert getattr(raised.value.cause, "message", "") == (
                "agent id 'a1' is in use: 'web-01' on host 'web-01.example.com' (process 7, state directory /srv/a) "
                "holds its lease, and this is another agent, on host 'web-01.example.com' (process 9, state directory "
                "/srv/b). Stop that one, or give this one an id of its own: another `agent.id` where its settings have "
                "one, else a new state directory."
            )
            agent.stopped.set_result("it was stopped")
            await until(state, AgentStatus.OFFLINE)
            await agent.say_hello(incarnation="i2", home=OTHER_HOME)

    @pytest.mark.parametrize("homes", [(None, HOME), (HOME, None)], ids=["a newer one", "an older one"])
    async def test_a_version_without_a_nonce_is_known_by_its_host(
        self, client: Client, state: State, homes: tuple[AgentHome | None, AgentHome | None]
    ) -> None:
        async with PlayedAgent(client, steady(home=homes[0])).polling() as former:
            await former.say_hello()
            await until(state, AgentStatus.ONLINE)
            await former.say_hello(incarnation="i2", home=homes[1])
            await until(state, lambda shown: shown.incarnation == "i2")
            former.stopped.set_result("")


class TestDuplicate:
    """Whoever looks at an agent sees that another one has its id."""

    OTHER = AgentDuplicate(incarnation="i2", name="web-01", host="clone", directory="/srv/b", process=9)

    async def test_is_shown_until_it_says_bye(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, steady()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await handle.signal(DUPLICATE_SIGNAL, self.OTHER)
            shown = (await until(state, lambda shown: shown.duplicate is not None)).duplicate
            assert shown is not None
            assert shown.time is not None
            assert msgspec.structs.replace(shown, time=None) == self.OTHER
            await agent.say_hello(tags=["new"])
            assert (await until(state, lambda shown: shown.tags == ["new"])).duplicate == shown
            await handle.signal("bye", ByeNote(incarnation="i2"))
            assert (await until(state, lambda shown: shown.duplicate is None)).status is AgentStatus.ONLINE
            agent.stopped.set_result("")

    async def test_is_gone_with_the_next_incarnation(self, client: Client, state: State) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, steady()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await handle.signal(DUPLICATE_SIGNAL, self.OTHER)
            await until(state, lambda shown: shown.duplicate is not None)
            await agent.say_hello(incarnation="i3")
            assert (await until(state, lambda shown: shown.incarnation == "i3")).duplicate is None
            agent.stopped.set_result("")

    @pytest.mark.parametrize("changes", [{"directory": "/a\x1b[2J"}, {"host": "x" * 256}], ids=["control", "long"])
    async def test_what_is_not_sound_is_not_shown(self, client: Client, state: State, changes: dict[str, str]) -> None:
        handle = client.get_workflow_handle(agent_workflow_id("a1"))
        async with PlayedAgent(client, steady()).polling() as agent:
            await agent.say_hello()
            await until(state, AgentStatus.ONLINE)
            await handle.signal(DUPLICATE_SIGNAL, msgspec.structs.replace(self.OTHER, **changes))
            await handle.execute_update("cordon", ModeChange(reason="after it"))
            assert (await until(state, AgentStatus.CORDONED)).duplicate is None
            agent.stopped.set_result("")
