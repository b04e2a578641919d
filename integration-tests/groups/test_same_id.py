"""Two agents with one id on one host, and one agent that is started again: their processes, and who looks at them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Agent, Site
from harness.command import Command
from harness.site import until

from waterflow_sdk.wire import AgentState, AgentStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = "shared-id"
OWN = {"WATERFLOW_AGENT_ID": ID, "WATERFLOW_HEARTBEAT_TIMEOUT": "60s"}
"""A time-out that outlasts the test: whoever takes over does not wait for it."""


@pytest_asyncio.fixture(loop_scope="session")
async def first(site: Site) -> AsyncIterator[Agent]:
    """An agent that is online with the id."""
    agent = site.start_agent("first", ("hosts",), **OWN)
    await site.until_online("first")
    yield agent
    for name in ("first", "second"):
        if started := site.agents.pop(name, None):
            await _stop(started)
    await _until(site, lambda shown: shown.status is AgentStatus.OFFLINE, "the id is free")
    await site.client.remove_agent(ID)


async def _stop(agent: Agent) -> int:
    assert agent.process is not None
    agent.process.terminate()
    return await asyncio.to_thread(agent.process.wait, 120)


async def _until(site: Site, check: Callable[[AgentState], object], what: str) -> AgentState:
    found: list[AgentState] = []

    async def holds() -> bool:
        found[:] = [await site.client.agent(ID)]
        return bool(check(found[0]))

    await until(holds, what)
    return found[0]


class TestAnotherStateDirectory:
    async def test_is_refused_and_shown_and_gets_the_id_when_it_is_free(
        self, site: Site, first: Agent, tmp_path: Path
    ) -> None:
        before = await site.client.agent(ID)
        second = site.start_agent("second", ("hosts",), **OWN)
        shown = await _until(site, lambda shown: shown.duplicate, "the refused one is shown")
        assert second.process is not None
        assert shown.duplicate is not None
        assert (shown.name, shown.status, shown.incarnation) == ("first", AgentStatus.ONLINE, before.incarnation)
        assert (shown.duplicate.name, shown.duplicate.process) == ("second", second.process.pid)
        log = (site.root / "agent-second.log").read_text()
        assert (
            f"agent id {ID!r} is in use: 'first' on host {shown.host!r} (process {shown.process}, state directory "
            f"{first.state_dir}) holds its lease, and this is another agent, on host {shown.host!r} (process "
            f"{second.process.pid}, state directory {second.state_dir}). Stop that one, or give this one an id"
        ) in log
        command = Command(tmp_path)
        listed = await asyncio.to_thread(command.run, "agent", "list", "--server", site.url)
        assert f"another agent has the same id; see `waterflow agent status {ID}`" in listed.stdout
        status = await asyncio.to_thread(command.run, "agent", "status", ID, "--server", site.url)
        assert f"process {second.process.pid}, state directory {second.state_dir}; stop it" in status.stdout

        assert await _stop(first) == 0
        taken = await _until(
            site, lambda shown: shown.name == "second" and shown.status is AgentStatus.ONLINE, "it works"
        )
        assert taken.duplicate is None

    async def test_is_forgotten_when_it_stops(self, site: Site, first: Agent) -> None:
        del first
        second = site.start_agent("second", ("hosts",), **OWN)
        await _until(site, lambda shown: shown.duplicate, "the refused one is shown")
        assert await _stop(second) == 0
        shown = await _until(site, lambda shown: shown.duplicate is None, "nobody else asks for the id")
        assert (shown.name, shown.status) == ("first", AgentStatus.ONLINE)


class TestTheSameStateDirectory:
    async def test_takes_over_at_once_from_a_killed_process(self, site: Site, first: Agent) -> None:
        before = await site.client.agent(ID)
        first.kill()
        site.start_agent("first")
        shown = await _until(site, lambda shown: shown.incarnation != before.incarnation, "the new process has the id")
        assert shown.status is AgentStatus.ONLINE  # it never was offline: the lease of the killed one still beat
        assert (shown.directory, shown.duplicate) == (before.directory, None)

    async def test_takes_over_from_a_living_process_which_ends(self, site: Site, first: Agent) -> None:
        before = await site.client.agent(ID)
        former = first.process
        assert former is not None
        site.start_agent("first")
        assert await asyncio.to_thread(former.wait, 120) == 0
        await _until(
            site,
            lambda shown: shown.incarnation != before.incarnation and shown.status is AgentStatus.ONLINE,
            "the new process has the id",
        )

    async def test_copied_is_another_one(self, site: Site, first: Agent) -> None:
        copy = site.root / "agents" / "second"
        await asyncio.to_thread(_copy, first.state_dir, copy)
        site.start_agent("second", ("hosts",), **OWN)
        shown = await _until(site, lambda shown: shown.duplicate, "the refused one is shown")
        assert shown.duplicate is not None
        assert (shown.name, shown.duplicate.directory) == ("first", str(copy))


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / "nonce").write_bytes((source / "nonce").read_bytes())
