"""Which agent takes a job that tags or several groups ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import AgentLoad, AgentStatus
from waterflow_server.presence import AgentRegistry
from waterflow_server.presence._choice import Chooser
from waterflow_server.presence._wire import ChoiceQuery

from .conftest import PlayedAgent, hello

SLOTS = 4
WEB = ChoiceQuery(groups=["web"])

Fleet = dict[str, PlayedAgent]


def load(running: int, held: int = 0) -> AgentLoad:
    """What a heartbeat tells of an agent's slots."""
    return AgentLoad(time=datetime.now(UTC), running=running, held=held, slots=SLOTS)


@pytest.fixture
async def fleet(client: Client, orchestrator: None, registry: AgentRegistry) -> AsyncIterator[Fleet]:
    """Three agents of four slots that are online: ``a`` and ``b`` in ``web``, ``c`` in ``db``. Nothing runs there."""
    del orchestrator
    groups = {"a": "web", "b": "web", "c": "db"}
    played = {
        name: PlayedAgent(client, hello(id=name, name=name, groups=[group], slots=SLOTS))
        for name, group in groups.items()
    }
    async with AsyncExitStack() as stack:
        for agent in played.values():
            agent.load = load(0)
            await stack.enter_async_context(agent.polling())
            await agent.say_hello()
        async with asyncio.timeout(120):
            while len(await registry.list(status=AgentStatus.ONLINE)) < len(played):
                await asyncio.sleep(0.05)
        yield played
        for agent in played.values():
            if not agent.stopped.done():
                agent.stopped.set_result("")


@pytest.fixture
def chooser(registry: AgentRegistry) -> Chooser:
    """The chooser under test."""
    return Chooser(registry)


async def busy(registry: AgentRegistry, agent: PlayedAgent, running: int, held: int = 0) -> None:
    """The agent has so much to do, and its heartbeat has told it."""
    agent.load = load(running, held)
    async with asyncio.timeout(120):
        while not (state := await registry.get(agent.hello.id)) or state.load is None or state.load.running != running:
            await asyncio.sleep(0.05)


async def choose(chooser: Chooser, query: ChoiceQuery = WEB) -> str | None:
    """The name of who takes the job."""
    chosen = (await chooser.choose(query)).agent
    return chosen.name if chosen else None


class TestWithout:
    async def test_who_does_not_count_gets_nothing_even_if_idle(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await busy(registry, fleet["a"], 3)
        assert await choose(chooser, ChoiceQuery(groups=["web"], without=["b"])) == "a"

    async def test_nor_is_shown(self, fleet: Fleet, chooser: Chooser) -> None:
        del fleet
        choice = await chooser.choose(ChoiceQuery(groups=["web"], without=["a", "b"]))
        assert (choice.agent, choice.members) == (None, [])


class TestLoad:
    async def test_the_lowest_share_of_busy_slots_takes_it(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await busy(registry, fleet["a"], 3)
        await busy(registry, fleet["b"], 1)
        assert await choose(chooser) == "b"

    async def test_slots_that_jobs_keep_between_two_steps_are_busy(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await busy(registry, fleet["a"], 1, held=3)
        await busy(registry, fleet["b"], 2)
        assert await choose(chooser) == "b"

    async def test_nobody_takes_it_where_all_are_busy_and_the_members_are_told(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        for name in ("a", "b"):
            await busy(registry, fleet[name], SLOTS)
        choice = await chooser.choose(WEB)
        assert choice.agent is None
        assert [(member.name, member.status) for member in choice.members] == [
            ("a", AgentStatus.ONLINE),
            ("b", AgentStatus.ONLINE),
        ]
        assert await choose(chooser, ChoiceQuery(groups=["web", "db"])) == "c"

    async def test_jobs_that_start_together_are_spread_before_a_heartbeat_tells_of_them(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        for name in ("a", "b"):
            await busy(registry, fleet[name], 2)
        assert sorted([await choose(chooser) or "nobody" for _ in range(5)]) == ["a", "a", "b", "b", "nobody"]


class TestNodes:
    async def test_who_has_the_nodes_goes_before_who_is_idle(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await fleet["b"].say_hello(nodes={"acme/deploy": "sha256-1"})
        await busy(registry, fleet["b"], 3)
        async with asyncio.timeout(120):  # lists follow what is told, a moment later
            while not any(state.nodes for state in await registry.list()):
                await asyncio.sleep(0.05)
        assert await choose(chooser, ChoiceQuery(groups=["web"], nodes=["acme/deploy"])) == "b"

    async def test_where_nobody_has_them_anybody_is_taken(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await busy(registry, fleet["a"], 3)
        assert await choose(chooser, ChoiceQuery(groups=["web"], nodes=["acme/deploy"])) == "b"

    async def test_who_may_run_as_the_user_goes_before_who_is_idle(
        self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser
    ) -> None:
        await fleet["b"].say_hello(capabilities={"run-as/deploy": "sudo"})
        await busy(registry, fleet["b"], 3)
        assert await choose(chooser, ChoiceQuery(groups=["web"], capabilities=["run-as/deploy"])) == "b"


class TestOffline:
    async def test_who_is_offline_gets_nothing(self, fleet: Fleet, registry: AgentRegistry, chooser: Chooser) -> None:
        fleet["a"].stopped.set_result("bye")
        async with asyncio.timeout(120):
            while not await registry.list(status=AgentStatus.OFFLINE):
                await asyncio.sleep(0.05)
        choice = await chooser.choose(WEB)
        assert choice.agent is not None
        assert choice.agent.name == "b"
