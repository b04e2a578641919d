"""Groups and the administration of agents: what is sent, and which errors come back."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from waterflow_sdk.client import (
    AgentAlive,
    AgentAmbiguous,
    AgentNotFound,
    AsyncClient,
    Client,
    GroupConflict,
    GroupExists,
    GroupIncluded,
    GroupNotFound,
    InvalidGroups,
)
from waterflow_sdk.wire import AgentState, AgentStatus, GroupChange, GroupsApplied, GroupSpec, GroupState

AGENT = AgentState(id="a1", name="web-01", status=AgentStatus.DRAINING)
GROUP = GroupState(name="web", agents=["a"], version=2)
APPLIED = GroupsApplied(changes=[GroupChange(name="web", action="delete", before=GroupSpec(name="web"))])


def answers(server: Any) -> None:
    """Whatever is asked of groups and agents."""
    server.on("GET /v1/groups", [GROUP])
    for method in ("GET", "PUT", "DELETE"):
        server.on(f"{method} /v1/groups/web", GROUP)
    server.on("POST /v1/groups", GROUP)
    server.on("POST /v1/groups/web/members", GROUP)
    server.on("POST /v1/groups/apply", APPLIED)
    for mode in ("cordon", "drain", "uncordon"):
        server.on(f"POST /v1/agents/web-01/{mode}", AGENT)
    server.on("DELETE /v1/agents/web-01", AGENT)


def sent(server: Any) -> list[tuple[str, Any]]:
    """The requests, with their bodies."""
    return [(route, msgspec.json.decode(body) if body else None) for route, body, _ in server.requests]


REQUESTS = [
    ("GET /v1/groups", None),
    ("GET /v1/groups/web", None),
    ("POST /v1/groups", {"name": "web", "agents": ["a"], "tags": ["ssd"], "target": "all"}),
    ("PUT /v1/groups/web", {"agents": ["b"], "version": 2}),
    ("POST /v1/groups/web/members", {"add": ["a", "b"]}),
    ("POST /v1/groups/web/members", {"remove": ["a"], "version": 2}),
    ("DELETE /v1/groups/web", None),
    ("POST /v1/groups/apply", {"yaml": "x", "filename": "g.yml", "dry_run": True, "prune": True}),
    ("POST /v1/agents/web-01/cordon", {"reason": "disk"}),
    ("POST /v1/agents/web-01/drain", {}),
    ("POST /v1/agents/web-01/uncordon", {}),
    ("DELETE /v1/agents/web-01", None),
]


class TestRequests:
    async def test_async(self, server: Any) -> None:
        answers(server)
        async with AsyncClient(server.url) as client:
            assert await client.groups.list() == [GROUP]
            assert await client.groups.get("web") == GROUP
            assert await client.groups.create("web", agents=["a"], tags=["ssd"], target="all") == GROUP
            assert await client.groups.put(GroupSpec(name="web", agents=["b"]), version=2) == GROUP
            assert await client.groups.add("web", "a", "b") == GROUP
            assert await client.groups.remove("web", "a", version=2) == GROUP
            await client.groups.delete("web")
            assert await client.groups.apply("x", filename="g.yml", dry_run=True, prune=True) == APPLIED
            assert await client.cordon_agent("web-01", "disk") == AGENT
            assert await client.drain_agent("web-01") == AGENT
            assert await client.uncordon_agent("web-01") == AGENT
            await client.remove_agent("web-01")
        assert sent(server) == REQUESTS

    async def test_sync(self, server: Any) -> None:
        answers(server)

        def work() -> None:
            with Client(server.url) as client:
                client.groups.list()
                client.groups.get("web")
                client.groups.create("web", agents=["a"], tags=["ssd"], target="all")
                client.groups.put(GroupSpec(name="web", agents=["b"]), version=2)
                client.groups.add("web", "a", "b")
                client.groups.remove("web", "a", version=2)
                client.groups.delete("web")
                client.groups.apply("x", filename="g.yml", dry_run=True, prune=True)
                client.cordon_agent("web-01", "disk")
                client.drain_agent("web-01")
                client.uncordon_agent("web-01")
                client.remove_agent("web-01")

        await asyncio.to_thread(work)
        assert sent(server) == REQUESTS


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "group-not-found", GroupNotFound),
            (409, "group-conflict", GroupConflict),
            (409, "group-exists", GroupExists),
            (409, "group-included", GroupIncluded),
            (422, "invalid-groups", InvalidGroups),
        ],
    )
    async def test_of_groups(self, server: Any, problem: Any, status: int, code: str, kind: type[Exception]) -> None:
        server.on("GET /v1/groups/web", problem(status, code, "the reason"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(kind, match=r"^the reason$"):
                await client.groups.get("web")

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "agent-not-found", AgentNotFound),
            (409, "agent-alive", AgentAlive),
            (409, "agent-ambiguous", AgentAmbiguous),
        ],
    )
    async def test_of_agents(self, server: Any, problem: Any, status: int, code: str, kind: type[Exception]) -> None:
        server.on("DELETE /v1/agents/web-01", problem(status, code, "the reason"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(kind, match=r"^the reason$"):
                await client.remove_agent("web-01")
