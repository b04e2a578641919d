"""Routes of definitions and schedules: what they take, what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from waterflow_sdk.wire import DefinitionPut, Overlap
from waterflow_server import Services

from .conftest import Client


class TestPut:
    async def test_json(self, client: Client, services: Services) -> None:
        answer = await client.put("/v1/definitions/nightly", json={"yaml": "jobs: {}", "expected": 0})
        assert (answer.status_code, answer.json()["created"]) == (201, True)
        assert _asked(services.definitions) == [
            ("nightly", DefinitionPut(yaml="jobs: {}", expected=0), "anonymous"),
        ]

    async def test_yaml_itself(self, client: Client, services: Services) -> None:
        headers = {"content-type": "application/yaml"}
        answer = await client.put("/v1/definitions/nightly?filename=n.yaml", content="jobs: {}", headers=headers)
        assert answer.status_code == 201
        assert _asked(services.definitions) == [
            ("nightly", DefinitionPut(yaml="jobs: {}", filename="n.yaml"), "anonymous")
        ]

    async def test_what_is_there_already(self, client: Client) -> None:
        answer = await client.put("/v1/definitions/nightly", json={"yaml": "jobs: {}", "expected": 1})
        assert answer.status_code == 200

    async def test_more_than_1_mb(self, client: Client) -> None:
        answer = await client.put("/v1/definitions/nightly", json={"yaml": "x" * 1_048_577})
        assert (answer.status_code, answer.json()["code"]) == (413, "workflow-too-large")


class TestDefinition:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "", 200),
            ("GET", "/versions", 200),
            ("GET", "/versions/1", 200),
            ("GET", "/diff?old=1", 200),
            ("POST", "/rollback", 200),
            ("POST", "/enable", 200),
            ("POST", "/disable", 200),
            ("POST", "/run", 202),
            ("DELETE", "?force=true", 204),
        ],
    )
    async def test_of_a_name(self, client: Client, method: str, path: str, status: int) -> None:
        assert (await client.request(method, f"/v1/definitions/nightly{path}")).status_code == status
        missing = await client.request(method, f"/v1/definitions/nothing{path}")
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no definition 'nothing'")

    async def test_a_diff_needs_the_old_version(self, client: Client) -> None:
        answer = await client.get("/v1/definitions/nightly/diff")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


class TestSchedule:
    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "", None, 200),
            ("GET", "/next?limit=3", None, 200),
            ("PUT", "", {"definition": "nightly", "cron": "@daily"}, 200),
            ("POST", "/pause", {"reason": "holidays"}, 202),
            ("POST", "/pause", None, 202),
            ("POST", "/unpause", None, 202),
            ("POST", "/trigger", {"overlap": "allow"}, 202),
            ("POST", "/backfill", {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}, 202),
            ("DELETE", "", None, 204),
        ],
    )
    async def test_of_a_name(self, client: Client, method: str, path: str, body: Any, status: int) -> None:
        assert (await client.request(method, f"/v1/schedules/mine{path}", json=body)).status_code == status
        missing = await client.request(method, f"/v1/schedules/nothing{path}", json=body)
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no schedule 'nothing'")

    async def test_what_was_said(self, client: Client, services: Services) -> None:
        await client.post("/v1/schedules/mine/pause", json={"reason": "holidays"})
        await client.post("/v1/schedules/mine/trigger", json={"overlap": "cancel"})
        assert _asked(services.schedules) == [("pause", "holidays"), ("trigger", Overlap.CANCEL)]

    async def test_an_overlap_that_is_none(self, client: Client) -> None:
        answer = await client.post("/v1/schedules/mine/trigger", json={"overlap": "maybe"})
        assert answer.status_code == 400
        assert "maybe" in answer.json()["detail"]

    async def test_too_many_times(self, client: Client) -> None:
        assert (await client.get("/v1/schedules/mine/next?limit=101")).status_code == 400


def _asked(service: Any) -> list[Any]:
    return service.asked
