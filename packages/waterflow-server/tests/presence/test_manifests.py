"""Manifests that no agent has any more are forgotten, and learned again from an agent that comes back with them."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import AgentStatus, NodeManifest
from waterflow_server.presence import AgentRegistry
from waterflow_server.presence._manifests import FRESH, Manifests
from waterflow_server.presence._unused import KEPT, UnusedManifests

from .conftest import PlayedAgent, hello, until

pytestmark = pytest.mark.usefixtures("orchestrator")


async def until_stored(manifests: Manifests, *digests: str) -> None:
    """Until the list, which lags a moment, holds these."""
    async with asyncio.timeout(120):
        while not {*digests} <= (await manifests.stored()).keys():
            await asyncio.sleep(0.02)


async def until_online(registry: AgentRegistry, agent: PlayedAgent) -> None:
    await agent.say_hello()
    await until(lambda: registry.get(agent.hello.id), AgentStatus.ONLINE)


class TestSweep:
    async def test_what_no_agent_has_goes_and_what_one_has_stays(self, client: Client, registry: AgentRegistry) -> None:
        used, unused = (NodeManifest(name="slack/notify", version=version) for version in ("2.0.0", "1.0.0"))
        manifests = Manifests(client)
        await manifests.store([unused])
        async with PlayedAgent(client, hello(nodes={"slack/notify": used.digest}), [used]).polling() as agent:
            await until_online(registry, agent)
            await until_stored(manifests, used.digest, unused.digest)
            forgotten = await UnusedManifests(client, kept=0, put_back=0).sweep()
            assert unused.digest in forgotten
            assert used.digest not in forgotten
            assert (await Manifests(client).find([used.digest, unused.digest])).keys() == {used.digest}
            agent.stopped.set_result("")

    async def test_not_before_it_is_old(self, client: Client) -> None:
        manifest = NodeManifest(name="kept/a-day", version="1.0.0")
        manifests = Manifests(client)
        await manifests.store([manifest])
        await until_stored(manifests, manifest.digest)
        sweeper = UnusedManifests(client, put_back=0)
        assert [await sweeper.sweep() for _ in range(2)] == [[], []]

    async def test_an_agent_that_comes_back_is_asked_again(self, client: Client, registry: AgentRegistry) -> None:
        manifest = NodeManifest(name="comes/back", version="1.0.0")
        manifests = Manifests(client)
        await manifests.store([manifest])
        await until_stored(manifests, manifest.digest)
        assert manifest.digest in await UnusedManifests(client, kept=0, put_back=0).sweep()
        said = hello(nodes={"comes/back": manifest.digest})
        async with PlayedAgent(client, said, [manifest]).polling() as agent:
            await until_online(registry, agent)
            assert agent.asked == [[manifest.digest]]
            assert await registry.manifests([manifest.digest]) == {manifest.digest: manifest}
            agent.stopped.set_result("")

    async def test_one_that_an_agent_came_back_with_in_the_very_moment_is_put_back(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = NodeManifest(name="just/now", version="1.0.0")
        manifests = Manifests(client)
        await manifests.store([manifest])
        await until_stored(manifests, manifest.digest)
        sweeper = UnusedManifests(client, kept=0, put_back=0)
        answers = [set[str](), {manifest.digest}]

        async def used() -> set[str]:
            return answers.pop(0)

        monkeypatch.setattr(sweeper, "_used", used)
        assert manifest.digest not in await sweeper.sweep()
        assert await Manifests(client).find([manifest.digest]) == {manifest.digest: manifest}


class TestCache:
    def test_forgets_before_anything_is_forgotten(self) -> None:
        assert 2 * FRESH < KEPT

    async def test_what_was_forgotten_by_another_server_is_not_believed_for_ever(self, client: Client) -> None:
        manifest = NodeManifest(name="forgotten/elsewhere", version="1.0.0")
        ours, for_ever = Manifests(client, fresh=0), Manifests(client)
        for each in (ours, for_ever):
            await each.store([manifest])
        await until_stored(ours, manifest.digest)
        await Manifests(client).remove(manifest.digest, (await ours.stored())[manifest.digest])

        async def known() -> int:
            return len(await ours.find([manifest.digest]))

        async with asyncio.timeout(60):
            while await known():
                await asyncio.sleep(0.05)
        assert (await for_ever.find([manifest.digest])).keys() == {manifest.digest}
