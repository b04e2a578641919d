"""``/plan``, ``/workflows/{id}/plan`` and ``/workflows/{id}/edit``."""

from __future__ import annotations

from waterflow_server import Services

from .conftest import Client

FILE = "jobs: {a: {steps: [run: echo]}}"


class TestPlan:
    async def test_of_a_file(self, client: Client, services: Services) -> None:
        answer = await client.post("/v1/plan", json={"yaml": FILE, "inputs": {"a": 1}, "dry_run": True})
        assert (answer.status_code, answer.json()) == (200, {"name": "planned by anonymous", "dry_run": True})
        (asked,) = services.plans.asked  # pyright: ignore[reportAttributeAccessIssue] - the one in memory
        assert (asked.yaml, asked.inputs, asked.dry_run, asked.against) == (FILE, {"a": 1}, True, None)

    async def test_of_a_run(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/r1/plan")
        assert (answer.status_code, answer.json()) == (200, {"name": "of r1"})

    async def test_of_a_run_that_is_not_there(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/r9/plan")
        assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")

    async def test_a_body_without_a_file(self, client: Client) -> None:
        answer = await client.post("/v1/plan", json={})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")

    async def test_a_file_that_is_too_large(self, client: Client) -> None:
        answer = await client.post("/v1/plan", json={"yaml": "#" * (1024 * 1024 + 1)})
        assert (answer.status_code, answer.json()["code"]) == (413, "workflow-too-large")


class TestEdit:
    async def test_starts_a_run_that_goes_on(self, client: Client) -> None:
        answer = await client.post("/v1/workflows/r1/edit", json={"yaml": FILE})
        assert (answer.status_code, answer.headers["location"]) == (202, "/v1/r2")
        assert answer.json() == {"report": {"run": "r1"}, "id": "r2", "url": "/v1/r2"}

    async def test_a_dry_run_gives_the_report_alone(self, client: Client) -> None:
        answer = await client.post("/v1/workflows/r1/edit", json={"yaml": FILE, "dry_run": True})
        assert (answer.status_code, answer.json()) == (200, {"report": {"run": "r1"}})

    async def test_what_the_state_of_the_run_does_not_allow(self, client: Client) -> None:
        answer = await client.post("/v1/workflows/r9/edit", json={"yaml": FILE})
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-edit")
