"""New nodes are asked for once, and nobody waits for ever for an agent that does not answer."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import NodeManifest
from waterflow_server.presence._learning import Learning
from waterflow_server.presence._manifests import Manifests

pytestmark = pytest.mark.usefixtures("orchestrator")


def manifests(name: str, count: int = 3) -> list[NodeManifest]:
    """New ones."""
    return [NodeManifest(name=f"{name}/{number}", version="1.0.0") for number in range(count)]


def digests(made: list[NodeManifest]) -> list[str]:
    return [manifest.digest for manifest in made]


class TestMissing:
    async def test_the_second_waits_for_what_the_first_is_asked_for(self, client: Client) -> None:
        learning = Learning(Manifests(client))
        new = manifests("waited")
        assert await learning.missing(digests(new)) == digests(new)
        second = asyncio.create_task(learning.missing(digests(new)))
        await asyncio.wait([second], timeout=0.2)
        assert not second.done()
        await learning.store(new)
        assert await asyncio.wait_for(second, 120) == []

    async def test_nobody_waits_for_other_nodes(self, client: Client) -> None:
        learning = Learning(Manifests(client))
        await learning.missing(digests(manifests("slow")))
        other = digests(manifests("other"))
        assert await asyncio.wait_for(learning.missing(other), 120) == other

    async def test_the_second_is_asked_when_the_first_does_not_answer(self, client: Client) -> None:
        learning = Learning(Manifests(client), answered_within=0.0)
        new = digests(manifests("unanswered"))
        assert await learning.missing(new) == new
        assert await asyncio.wait_for(learning.missing(new), 120) == new

    async def test_what_another_server_stores_is_noticed(self, client: Client) -> None:
        here, there = Learning(Manifests(client)), Learning(Manifests(client))
        new = manifests("elsewhere")
        await here.missing(digests(new))
        waiting = asyncio.create_task(here.missing(digests(new)))
        await there.store(new)
        assert await asyncio.wait_for(waiting, 120) == []


class TestFind:
    async def test_hundreds_who_ask_at_once_cause_one_read(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = manifests("popular", 1)
        await Manifests(client).store(new)
        asked: list[str] = []
        handle = client.get_workflow_handle
        monkeypatch.setattr(client, "get_workflow_handle", lambda id: asked.append(id) or handle(id))
        kept = Manifests(client)
        found = await asyncio.gather(*(kept.find(digests(new)) for _ in range(300)))
        assert found == [{new[0].digest: new[0]}] * 300
        assert len(asked) == 1
