"""Catalog, agents, validation, health, the OpenAPI document, and addresses that lead nowhere."""

from __future__ import annotations

import logging

import pytest
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ValidateRequest
from waterflow_server._logging import JsonFormatter

from .conftest import Client, HealthInMemory, SubmissionsInMemory


class TestNodes:
    async def test_all(self, client: Client) -> None:
        assert [entry["manifest"]["name"] for entry in (await client.get("/v1/nodes")).json()] == [
            "docker/exec",
            "sleep",
        ]

    async def test_a_name_with_a_slash(self, client: Client) -> None:
        assert (await client.get("/v1/nodes/docker/exec")).json()["agents"] == ["web-01"]

    async def test_one_that_is_not_there(self, client: Client) -> None:
        answer = await client.get("/v1/nodes/docker/run")
        assert (answer.status_code, answer.json()["code"]) == (404, "node-not-found")


class TestAgents:
    async def test_all(self, client: Client) -> None:
        assert (await client.get("/v1/agents")).json() == [{"id": "a-1", "name": "web-01", "status": "online"}]

    @pytest.mark.parametrize("name", ["a-1", "web-01"])
    async def test_one_by_id_or_name(self, client: Client, name: str) -> None:
        assert (await client.get(f"/v1/agents/{name}")).json()["id"] == "a-1"

    async def test_one_that_is_not_there(self, client: Client) -> None:
        answer = await client.get("/v1/agents/web-11")
        assert (answer.status_code, answer.json()["code"]) == (404, "agent-not-found")
        assert answer.json()["detail"] == "there is no agent 'web-11'; did you mean 'web-01'?"


class TestValidate:
    async def test_json(self, client: Client, submissions: SubmissionsInMemory) -> None:
        answer = await client.post("/v1/validate", json={"yaml": "jobs: {}", "filename": "a.yaml"})
        assert (answer.status_code, answer.json()) == (200, {"valid": True, "plan_hash": "0" * 64})
        assert submissions.requests == [ValidateRequest(yaml="jobs: {}", filename="a.yaml")]

    async def test_yaml(self, client: Client, submissions: SubmissionsInMemory) -> None:
        headers = {"content-type": "application/yaml"}
        await client.post("/v1/validate?filename=a.yaml", content=b"jobs: {}", headers=headers)
        assert submissions.requests == [ValidateRequest(yaml="jobs: {}", filename="a.yaml")]


class TestHealth:
    @pytest.mark.parametrize("path", ["/health", "/health/ready"])
    async def test_ready(self, client: Client, path: str) -> None:
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": "0.1.0", "temporal": "127.0.0.1:7233"}

    async def test_not_ready_says_why(self, client: Client, health: HealthInMemory) -> None:
        health.reason = "Temporal at 127.0.0.1:7233 does not answer"
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["reason"] == "Temporal at 127.0.0.1:7233 does not answer"

    async def test_alive_even_then(self, client: Client, health: HealthInMemory) -> None:
        health.reason = "Temporal is away"
        assert (await client.get("/health/live")).status_code == 200

    async def test_version(self, client: Client) -> None:
        answer = (await client.get("/version")).json()
        assert answer == {"version": "0.1.0", "wire": "1.0", "api": "v1", "language": "1.0"}


class TestWrongAddress:
    @pytest.mark.parametrize(
        ("path", "near"),
        [
            ("/v1/workflow", "/v1/workflows"),
            ("/api/v1/workflows/r1/log", "/api/v1/workflows/{run_id}/logs"),
            ("/v1/workflows/r1/cancle", "/v1/workflows/{run_id}/cancel"),
            ("/healthz", "/health"),
        ],
    )
    async def test_the_nearest_route_is_named(self, client: Client, path: str, near: str) -> None:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "route-not-found")
        assert answer.json()["detail"] == f"there is no {path!r} in this API; did you mean {near}?"
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_one_that_is_like_nothing(self, client: Client) -> None:
        answer = await client.get("/wp-admin.php")
        assert answer.json()["detail"] == "there is no '/wp-admin.php' in this API; see /schema"

    async def test_a_method_that_the_route_does_not_take(self, client: Client) -> None:
        answer = await client.delete("/v1/agents")
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
        assert "GET" in answer.headers["allow"]


class TestSamePaths:
    async def test_everything_is_below_api_v1_too(self, client: Client) -> None:
        for path in ("workflows", "agents", "nodes/docker/exec"):
            assert (await client.get(f"/api/v1/{path}")).json() == (await client.get(f"/v1/{path}")).json()


class TestErrorsOfTemporal:
    @pytest.mark.parametrize(
        ("status", "answered", "code"),
        [
            (RPCStatusCode.UNAVAILABLE, 503, "temporal-unavailable"),
            (RPCStatusCode.DEADLINE_EXCEEDED, 503, "temporal-unavailable"),
            (RPCStatusCode.INVALID_ARGUMENT, 400, "temporal-invalid"),
            (RPCStatusCode.PERMISSION_DENIED, 500, "temporal-refused"),
        ],
    )
    async def test_they_are_told_apart(
        self, client: Client, submissions: SubmissionsInMemory, status: RPCStatusCode, answered: int, code: str
    ) -> None:
        submissions.error = RPCError("no luck", status, b"")
        answer = await client.post("/v1/workflows", json={"yaml": "jobs: {}"})
        assert (answer.status_code, answer.json()["code"]) == (answered, code)

    async def test_what_nobody_expected_shows_nothing_of_the_inside(
        self, client: Client, submissions: SubmissionsInMemory, caplog: pytest.LogCaptureFixture
    ) -> None:
        submissions.error = KeyError("secret inside")
        answer = await client.post("/v1/workflows", json={"yaml": "jobs: {}"})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "secret inside" not in answer.text
        assert "secret inside" in caplog.text


class TestRequestId:
    async def test_a_sound_one_is_kept(self, client: Client) -> None:
        answer = await client.get("/version", headers={"x-request-id": "abc-1"})
        assert answer.headers["x-request-id"] == "abc-1"

    @pytest.mark.parametrize("given", ["a b", "x" * 129, '"'])
    async def test_any_other_is_replaced(self, client: Client, given: str) -> None:
        answer = await client.get("/version", headers={"x-request-id": given})
        assert len(answer.headers["x-request-id"]) == 32

    async def test_wrong_addresses_have_one(self, client: Client) -> None:
        assert (await client.get("/nope")).headers["x-request-id"]

    async def test_it_is_in_the_access_log(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        caplog.handler.setFormatter(JsonFormatter())
        await client.get("/v1/agents", headers={"x-request-id": "abc-1"})
        assert '"message":"request"' in caplog.text
        assert '"method":"GET","path":"/v1/agents","status":200' in caplog.text


class TestOpenApi:
    async def test_the_document_has_the_routes_once(self, client: Client) -> None:
        document = (await client.get("/schema")).json()
        assert document["openapi"] == "3.1.0"
        assert {
            "/health",
            "/health/live",
            "/health/ready",
            "/v1/agents",
            "/v1/agents/{agent_id}",
            "/v1/logs/{stream}",
            "/v1/nodes",
            "/v1/nodes/{name}",
            "/v1/validate",
            "/v1/workflows",
            "/v1/workflows/{run_id}",
            "/v1/workflows/{run_id}/cancel",
            "/v1/workflows/{run_id}/logs",
            "/version",
        } <= set(document["paths"])
        assert [path for path in document["paths"] if path.startswith("/api/")] == []

    async def test_submit_takes_json_and_yaml(self, client: Client) -> None:
        operation = (await client.get("/schema/openapi.json")).json()["paths"]["/v1/workflows"]["post"]
        assert sorted(operation["requestBody"]["content"]) == ["application/json", "application/yaml"]
        assert {parameter["name"] for parameter in operation["parameters"]} == {
            *("dry_run", "filename", "idempotency_key", "input", "inputs", "label", "labels"),
            *("run_at", "tenant_id", "var", "vars"),
        }
        assert sorted(operation["responses"]) == ["200", "202", "400", "413", "415", "422", "503"]

    async def test_problems_are_in_it(self, client: Client) -> None:
        document = (await client.get("/schema")).json()
        answer = document["paths"]["/v1/workflows/{run_id}"]["get"]["responses"]["404"]
        assert list(answer["content"]) == ["application/problem+json"]
