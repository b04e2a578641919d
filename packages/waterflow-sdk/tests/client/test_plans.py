"""Plans, dry runs and edits, in both clients."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from waterflow_sdk.client import AsyncClient, Client, Edited, NothingToEdit, RunNotEnded, RunNotFound
from waterflow_sdk.wire import EditedJob, EditReport, EditResponse, PlanView

FILE = "jobs: {a: {steps: [run: echo]}}"
REPORT = EditReport(run="r1", jobs=[EditedJob(job="a", instance="a", action="keep")])


def sent(server: Any) -> Any:
    """The body of the last request."""
    return json.loads(server.requests[-1][1])


class TestPlan:
    async def test_of_a_file(self, server: Any) -> None:
        server.on("POST /v1/plan", PlanView(name="hello"))
        async with AsyncClient(server.url) as client:
            assert (await client.plan(FILE)).name == "hello"
        assert sent(server) == {"yaml": FILE, "filename": "workflow.yaml"}

    async def test_with_all_that_it_takes(self, server: Any) -> None:
        server.on("POST /v1/plan", PlanView(name="hello"))
        given: dict[str, Any] = {
            "filename": "a.yaml",
            "files": {"b.yaml": FILE},
            "vars": {"v": 1},
            "inputs": {"i": 2},
            "secrets": {"S": "s"},
            "dry_run": True,
            "against": "r1",
        }
        async with AsyncClient(server.url) as client:
            await client.plan(FILE, **given)
        assert sent(server) == {"yaml": FILE, **given}

    async def test_against_a_run_that_is_not_there(self, server: Any, problem: Any) -> None:
        server.on("POST /v1/plan", problem(404, "run-not-found", "there is no run 'r9'"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(RunNotFound):
                await client.plan(FILE, against="r9")

    async def test_of_a_run(self, server: Any) -> None:
        server.on("GET /v1/workflows/r1/plan", PlanView(name="hello"))
        async with AsyncClient(server.url) as client:
            assert (await client.run("r1").plan()).name == "hello"


class TestEdit:
    ROUTE = "POST /v1/workflows/r1/edit"

    async def test_gives_the_report_and_the_new_run(self, server: Any) -> None:
        server.on(self.ROUTE, EditResponse(report=REPORT, id="r2", url="/v1/workflows/r2"))
        async with AsyncClient(server.url) as client:
            edited = await client.run("r1").edit(FILE, vars={"v": 1})
        assert edited == Edited(report=REPORT, id="r2", url="/v1/workflows/r2")
        assert sent(server) == {"yaml": FILE, "filename": "workflow.yaml", "vars": {"v": 1}}

    async def test_a_dry_run_has_no_run(self, server: Any) -> None:
        server.on(self.ROUTE, EditResponse(report=REPORT))
        async with AsyncClient(server.url) as client:
            assert await client.run("r1").edit(FILE, dry_run=True) == Edited(report=REPORT)
        assert sent(server) == {"yaml": FILE, "filename": "workflow.yaml", "dry_run": True}

    @pytest.mark.parametrize(("code", "error"), [("nothing-to-edit", NothingToEdit), ("run-not-ended", RunNotEnded)])
    async def test_refused(self, server: Any, problem: Any, code: str, error: type[Exception]) -> None:
        server.on(self.ROUTE, problem(409, code, "no"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(error, match=r"^no$"):
                await client.run("r1").edit(FILE)


class TestTheSynchronousClient:
    async def test_does_the_same(self, server: Any) -> None:
        server.on("POST /v1/plan", PlanView(name="hello"))
        server.on("GET /v1/workflows/r1/plan", PlanView(name="of r1"))
        server.on(TestEdit.ROUTE, EditResponse(report=REPORT, id="r2", url="/v1/workflows/r2"))

        def work() -> tuple[str, str, str | None]:
            with Client(server.url) as client:
                run = client.run("r1")
                return client.plan(FILE).name, run.plan().name, run.edit(FILE).id

        assert await asyncio.to_thread(work) == ("hello", "of r1", "r2")
