"""Agents under administration: removed, named twice."""

from __future__ import annotations

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import AgentAlive, AgentAmbiguous, AgentNotFound
from waterflow_sdk.wire import AgentStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestRemove:
    async def test_a_living_agent_is_refused_a_dead_one_forgotten_until_it_starts_again(self, site: Site) -> None:
        given = {"WATERFLOW_HEARTBEAT_TIMEOUT": "8s"}
        site.start_agent("web-03", ("hosts",), **given)
        await site.until_online("web-03")
        with pytest.raises(AgentAlive, match=r"^agent 'web-03' is online; stop it on its host before it is removed$"):
            await site.client.remove_agent("web-03")
        site.agents["web-03"].kill()

        async def offline() -> bool:
            found = await site.client.agents(groups=["hosts"], statuses=[AgentStatus.OFFLINE])
            return [agent.name for agent in found] == ["web-03"]

        await until(offline, "the loss is noticed", within=60)
        await site.client.remove_agent("web-03")
        assert "web-03" not in {agent.name for agent in await site.client.agents()}
        with pytest.raises(AgentNotFound, match=r"^there is no agent 'web-03'; did you mean 'web-0[12]'\?$"):
            await site.client.remove_agent("web-03")

        site.start_agent("web-03", ("hosts",))
        await site.until_online("web-03")


class TestNames:
    async def test_a_name_that_two_agents_have_is_refused(self, site: Site) -> None:
        site.start_agent("other", ("hosts",), WATERFLOW_AGENT_NAME="web-01")

        async def named() -> list[str]:
            return [agent.id for agent in await site.client.agents() if agent.name == "web-01"]

        async def two() -> bool:
            return len(await named()) == 2

        await until(two, "two agents have the name")
        with pytest.raises(AgentAmbiguous) as raised:
            await site.client.cordon_agent("web-01")
        assert raised.value.message.startswith("2 agents have the name 'web-01': ")
        first, _ = await named()
        assert (await site.client.cordon_agent(first)).status is AgentStatus.CORDONED
        await site.client.uncordon_agent(first)
