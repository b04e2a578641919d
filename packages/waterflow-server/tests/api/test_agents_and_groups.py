"""``/agents`` and ``/groups``: what the services are asked, and how their errors are told."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_sdk.wire import GroupPut, GroupsApply, GroupSpec, MembersChange
from waterflow_server import Services
from waterflow_server.groups import GroupConflict, InvalidGroups
from waterflow_server.presence.administration import AgentAlive, AgentAmbiguous

from .conftest import Client


@pytest.fixture
def agents(services: Services) -> Any:
    """The agents behind the API."""
    return services.agents


@pytest.fixture
def groups(services: Services) -> Any:
    """The groups behind the API."""
    return services.groups


class TestModes:
    @pytest.mark.parametrize("mode", ["cordon", "drain", "uncordon"])
    async def test_with_and_without_a_reason(self, client: Client, agents: Any, mode: str) -> None:
        answer = await client.post(f"/v1/agents/web-01/{mode}", json={"reason": "disk"})
        assert (answer.status_code, answer.json()["id"]) == (200, "a-1")
        assert (await client.post(f"/v1/agents/a-1/{mode}")).status_code == 200
        assert agents.asked == [(mode, "web-01", "disk"), (mode, "a-1", "")]

    async def test_a_name_that_two_agents_have(self, client: Client, agents: Any) -> None:
        agents.error = AgentAmbiguous("2 agents have the name 'web-01'", {"ids": ["a-1", "a-2"]})
        answer = await client.post("/v1/agents/web-01/drain")
        assert (answer.status_code, answer.json()["code"], answer.json()["ids"]) == (
            409,
            "agent-ambiguous",
            ["a-1", "a-2"],
        )


class TestList:
    @pytest.mark.parametrize(
        ("query", "asked"),
        [
            ("", ([], [])),
            ("?group=web&group=db", (["web", "db"], [])),
            ("?tag=ssd&tag=docker&status=online", ([], ["ssd", "docker"])),
        ],
    )
    async def test_by_groups_and_tags(self, client: Client, agents: Any, query: str, asked: Any) -> None:
        assert [each["id"] for each in (await client.get(f"/v1/agents{query}")).json()] == ["a-1"]
        assert agents.asked == [("find", *asked)]

    async def test_by_status(self, client: Client) -> None:
        for query, found in (("status=offline", []), ("status=offline&status=online", ["a-1"])):
            assert [each["id"] for each in (await client.get(f"/v1/agents?{query}")).json()] == found

    async def test_a_status_that_there_is_not(self, client: Client) -> None:
        answer = await client.get("/v1/agents?status=asleep")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


class TestRemove:
    async def test_it_is_forgotten(self, client: Client, agents: Any) -> None:
        assert (await client.delete("/v1/agents/a-1")).status_code == 204
        assert agents.asked == [("remove", "a-1")]

    async def test_a_living_one(self, client: Client, agents: Any) -> None:
        agents.error = AgentAlive("agent 'web-01' is online; stop it on its host before it is removed")
        answer = await client.delete("/v1/agents/a-1")
        assert (answer.status_code, answer.json()["code"]) == (409, "agent-alive")


class TestGroups:
    async def test_list_and_show(self, client: Client) -> None:
        assert [each["name"] for each in (await client.get("/v1/groups")).json()] == ["web"]
        assert (await client.get("/v1/groups/web")).json()["version"] == 3
        assert (await client.get("/v1/groups/web/members")).json()[0]["sources"] == ["listed"]
        assert (await client.get("/v1/groups/app")).json()["code"] == "group-not-found"

    async def test_create(self, client: Client, groups: Any) -> None:
        answer = await client.post("/v1/groups", json={"name": "web", "tags": ["ssd"]})
        assert (answer.status_code, answer.headers["location"]) == (201, "/v1/groups/web")
        assert groups.asked == [("create", GroupSpec(name="web", tags=["ssd"]))]

    async def test_put_and_members(self, client: Client, groups: Any) -> None:
        assert (await client.put("/v1/groups/web", json={"target": "all", "version": 3})).status_code == 200
        assert (await client.post("/v1/groups/web/members", json={"add": ["a"]})).status_code == 200
        assert groups.asked == [
            ("put", "web", GroupPut(target="all", version=3)),
            ("members", "web", MembersChange(add=["a"])),
        ]

    async def test_a_target_that_is_none(self, client: Client) -> None:
        answer = await client.put("/v1/groups/web", json={"target": "some"})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "target")

    async def test_delete(self, client: Client, groups: Any) -> None:
        assert (await client.delete("/v1/groups/web?version=3")).status_code == 204
        assert groups.asked == [("delete", "web", 3)]

    async def test_a_stale_version(self, client: Client, groups: Any) -> None:
        groups.error = GroupConflict("group 'web' is at version 3, not 2", {"group": "web", "version": 3})
        answer = await client.put("/v1/groups/web", json={"version": 2})
        assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (409, "group-conflict", 3)


class TestApply:
    FILE = "server_groups: [{name: web}]"

    async def test_as_json(self, client: Client, groups: Any) -> None:
        answer = await client.post("/v1/groups/apply", json={"yaml": self.FILE, "dry_run": True})
        assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
        assert groups.asked == [("apply", GroupsApply(yaml=self.FILE, dry_run=True))]

    async def test_as_yaml(self, client: Client, groups: Any) -> None:
        answer = await client.post(
            "/v1/groups/apply?prune=true&filename=g.yml",
            content=self.FILE.encode(),
            headers={"content-type": "application/yaml"},
        )
        assert answer.status_code == 200
        assert groups.asked == [("apply", GroupsApply(yaml=self.FILE, filename="g.yml", prune=True))]

    @pytest.mark.parametrize(
        ("query", "content", "detail"),
        [
            ("?prune=maybe", b"x", "prune='maybe' is neither `true` nor `false`"),
            ("?prun=true", b"x", "unknown query parameter 'prun'; did you mean 'prune'?"),
            ("", b"\xff", "the file is not UTF-8 text: byte 0 cannot be read"),
        ],
    )
    async def test_refused(self, client: Client, query: str, content: bytes, detail: str) -> None:
        answer = await client.post(
            f"/v1/groups/apply{query}", content=content, headers={"content-type": "application/yaml"}
        )
        assert (answer.status_code, answer.json()["detail"]) == (400, detail)

    async def test_what_is_wrong_with_the_file(self, client: Client, groups: Any) -> None:
        errors = [{"path": "", "message": "unknown key `tagz`", "file": "g.yml", "line": 3, "column": 3}]
        groups.error = InvalidGroups("g.yml:3:3: unknown key `tagz`", {"errors": errors})
        answer = await client.post("/v1/groups/apply", json={"yaml": "x"})
        assert (answer.status_code, answer.json()["code"], answer.json()["errors"]) == (422, "invalid-groups", errors)
