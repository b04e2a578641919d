"""Agents under administration: removed, named twice, impersonated."""

from __future__ import annotations

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import AgentAlive, AgentAmbiguous, AgentNotFound
from waterflow_sdk.wire import AgentStatus


class TestRemove:
    async def test_a_living_agent_is_refused_a_dead_one_forgotten(self, site: Site) -> None:
        with pytest.raises(AgentAlive, match=r"^agent 'web-01' is online; stop it on its host before it is removed$"):
            await site.client.remove_agent("web-01")
        site.agents["web-01"].kill()

        async def offline() -> bool:
            return (await site.client.agent("web-01")).status is AgentStatus.OFFLINE

        await until(offline, "the loss is noticed", within=60)
        await site.client.remove_agent("web-01")
        assert [agent.name for agent in await site.client.agents()] == ["web-02"]
        with pytest.raises(AgentNotFound, match=r"^there is no agent 'web-01'; did you mean 'web-02'\?$"):
            await site.client.remove_agent("web-01")

    async def test_one_that_starts_again_is_there_again(self, site: Site) -> None:
        site.agents["web-01"].kill()

        async def offline() -> bool:
            return (await site.client.agent("web-01")).status is AgentStatus.OFFLINE

        await until(offline, "the loss is noticed", within=60)
        await site.client.remove_agent("web-01")
        site.start_agent("web-01", ("hosts",))
        await site.until_online("web-01")


class TestNames:
    async def test_a_name_that_two_agents_have_is_refused(self, site: Site) -> None:
        site.start_agent("other", ("hosts",), WATERFLOW_AGENT_NAME="web-01")

        async def two() -> bool:
            return [agent.name for agent in await site.client.agents()].count("web-01") == 2

        await until(two, "two agents have the name")
        with pytest.raises(AgentAmbiguous) as raised:
            await site.client.cordon_agent("web-01")
        assert raised.value.message.startswith("2 agents have the name 'web-01': ")
        first = next(agent for agent in await site.client.agents() if agent.name == "web-01")
        assert (await site.client.cordon_agent(first.id)).status is AgentStatus.CORDONED
