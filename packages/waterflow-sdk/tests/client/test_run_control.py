"""What people and other systems tell a run: pause, resume, approve, reject, events; in both clients."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from waterflow_sdk.client import (
    AnswerRefused,
    AsyncClient,
    Client,
    Conflict,
    IdempotencyConflict,
    InvalidRequest,
    NothingToRetry,
    NothingWaits,
    NotWaterflow,
    Run,
    RunClosed,
    RunNotEnded,
    RunNotFound,
    ServerFault,
    ServerUnavailable,
    SyncRun,
    WaterflowError,
)

RUN = "/v1/workflows/r1"

CALLS: list[Any] = [
    pytest.param("pause", lambda run: run.pause(), {}, id="pause"),
    pytest.param("pause", lambda run: run.pause("lunch"), {"reason": "lunch"}, id="pause with its reason"),
    pytest.param("resume", lambda run: run.resume(), None, id="resume"),
    pytest.param("approve", lambda run: run.approve(), {}, id="approve"),
    pytest.param(
        "approve",
        lambda run: run.approve(by="ops", comment="fine", inputs={"ticket": 7}, step="release/steps[0]"),
        {"by": "ops", "comment": "fine", "inputs": {"ticket": 7}, "step": "release/steps[0]"},
        id="approve with all that it takes",
    ),
    pytest.param("reject", lambda run: run.reject(), {}, id="reject"),
    pytest.param(
        "reject",
        lambda run: run.reject(by="boss", comment="no", inputs={"why": [1]}, step="a/steps[1]"),
        {"by": "boss", "comment": "no", "inputs": {"why": [1]}, "step": "a/steps[1]"},
        id="reject with all that it takes",
    ),
    pytest.param("events", lambda run: run.send_event("shipped"), {"name": "shipped"}, id="event"),
    pytest.param(
        "events",
        lambda run: run.send_event("shipped", {"number": 7}),
        {"name": "shipped", "payload": {"number": 7}},
        id="event with a payload",
    ),
]


class TestRequest:
    @pytest.mark.parametrize(("route", "call", "body"), CALLS)
    async def test_body(self, server: Any, route: str, call: Callable[[Run], Awaitable[None]], body: Any) -> None:
        server.on(f"POST {RUN}/{route}", _accepted)
        async with AsyncClient(server.url) as client:
            await call(client.run("r1"))
        assert [asked for asked, _, _ in server.requests] == [f"POST {RUN}/{route}"]
        assert _json(server.requests[0][1]) == body

    @pytest.mark.parametrize(("route", "call", "body"), CALLS)
    async def test_synchronously_the_same(
        self, server: Any, route: str, call: Callable[[SyncRun], None], body: Any
    ) -> None:
        server.on(f"POST {RUN}/{route}", _accepted)

        def use() -> None:
            with Client(server.url) as client:
                call(client.run("r1"))

        await asyncio.to_thread(use)
        assert _json(server.requests[0][1]) == body

    @pytest.mark.parametrize(("route", "call", "body"), CALLS)
    async def test_what_may_have_arrived_is_not_repeated(
        self, server: Any, problem: Any, route: str, call: Callable[[Run], Awaitable[None]], body: Any
    ) -> None:
        server.on(f"POST {RUN}/{route}", problem(503, "temporal-unavailable", "Temporal is away"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(ServerUnavailable):
                await call(client.run("r1"))
        assert [_json(sent) for _, sent, _ in server.requests] == [body]

    async def test_a_payload_that_is_not_json_is_refused(self, server: Any) -> None:
        async with AsyncClient(server.url) as client:
            with pytest.raises(InvalidRequest) as caught:
                await client.run("r1").send_event("shipped", object())
        assert str(caught.value) == (
            "the request cannot be written as JSON: Encoding objects of type object is unsupported"
        )

    def test_both_runs_have_the_same_methods(self) -> None:
        def signatures(kind: type) -> dict[str, list[str]]:
            methods = {name: each for name, each in vars(kind).items() if not name.startswith("_") and callable(each)}
            return {
                name: [str(each) for each in inspect.signature(method).parameters.values()]
                for name, method in methods.items()
            }

        assert signatures(Run) == signatures(SyncRun)


class TestRetry:
    """``retry``: what is asked for, and the new run that it gives."""

    @pytest.mark.parametrize(
        ("call", "body"),
        [
            pytest.param(lambda run: run.retry(), {}, id="from the failed steps"),
            pytest.param(lambda run: run.retry("failed-jobs"), {"scope": "failed-jobs"}, id="failed jobs"),
            pytest.param(lambda run: run.retry("job", "build"), {"scope": "job", "job": "build"}, id="one job"),
            pytest.param(lambda run: run.retry("all"), {"scope": "all"}, id="all"),
        ],
    )
    async def test_body(self, server: Any, call: Callable[[Run], Awaitable[Run]], body: Any) -> None:
        server.on(f"POST {RUN}/retry", _again)
        async with AsyncClient(server.url) as client:
            new = await call(client.run("r1"))
        assert (new.id, new.url) == ("r2", "/v1/workflows/r2")
        assert _json(server.requests[0][1]) == body

    async def test_synchronously_the_same(self, server: Any) -> None:
        server.on(f"POST {RUN}/retry", _again)

        def use() -> tuple[str, str]:
            with Client(server.url) as client:
                new = client.run("r1").retry("job", "build")
                assert isinstance(new, SyncRun)
                return new.id, new.url

        assert await asyncio.to_thread(use) == ("r2", "/v1/workflows/r2")
        assert _json(server.requests[0][1]) == {"scope": "job", "job": "build"}

    async def test_what_may_have_arrived_is_not_repeated(self, server: Any, problem: Any) -> None:
        server.on(f"POST {RUN}/retry", problem(503, "temporal-unavailable", "Temporal is away"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(ServerUnavailable):
                await client.run("r1").retry()
        assert len(server.requests) == 1

    async def test_an_answer_of_something_else(self, server: Any) -> None:
        server.on(f"POST {RUN}/retry", _accepted)
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotWaterflow, match=r"^this is not a Waterflow server: it answers POST "):
                await client.run("r1").retry()


class TestRefusal:
    @pytest.mark.parametrize(
        ("code", "kind", "remedy"),
        [
            ("run-closed", RunClosed, ""),
            (
                "run-not-ended",
                RunNotEnded,
                "wait for its end (`waterflow logs -f RUN`), or cancel it (`waterflow cancel RUN`)",
            ),
            ("nothing-to-retry", NothingToRetry, ""),
            (
                "nothing-waits",
                NothingWaits,
                "`waterflow status RUN` shows what waits; where several do, --step says which one is meant",
            ),
            ("answer-refused", AnswerRefused, ""),
            ("idempotency-conflict", IdempotencyConflict, "use a new key for another submission"),
            ("something-new", Conflict, ""),
        ],
    )
    async def test_each_conflict_has_its_error(
        self, server: Any, problem: Any, code: str, kind: type[Conflict], remedy: str
    ) -> None:
        server.on(f"POST {RUN}/approve", problem(409, code, "the detail"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(Conflict) as caught:
                await client.run("r1").approve()
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.message, caught.value.status) == (code, "the detail", 409)
        assert caught.value.remedy == remedy

    async def test_the_code_of_a_conflict_means_nothing_under_another_status(self, server: Any, problem: Any) -> None:
        server.on(f"POST {RUN}/approve", problem(400, "run-closed", "the detail"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(InvalidRequest) as caught:
                await client.run("r1").approve()
        assert type(caught.value) is InvalidRequest

    async def test_a_run_that_does_not_exist(self, server: Any, problem: Any) -> None:
        server.on(f"POST {RUN}/pause", problem(404, "run-not-found", "there is no run r1"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(RunNotFound, match=r"^there is no run r1$"):
                await client.run("r1").pause()


class TestRequestId:
    """``request_id``: what the server's log calls the request that failed."""

    @pytest.mark.parametrize(
        ("status", "kind"), [(409, Conflict), (500, ServerFault), (503, ServerUnavailable)], ids=str
    )
    async def test_is_that_of_the_answer(
        self, server: Any, problem: Any, status: int, kind: type[WaterflowError]
    ) -> None:
        server.on(f"POST {RUN}/pause", _with_id(problem(status, "x", "the detail"), "5f0c.a-b_1"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(kind) as caught:
                await client.run("r1").pause()
        assert caught.value.request_id == "5f0c.a-b_1"

    async def test_for_a_log_too(self, server: Any, problem: Any) -> None:
        server.on(f"GET {RUN}/logs", _with_id(problem(500, "internal", "the detail"), "5f0c"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(ServerFault) as caught:
                await anext(client.run("r1").logs())
        assert caught.value.request_id == "5f0c"

    @pytest.mark.parametrize("id", ["", "a b", "x" * 129, "<b>"])
    async def test_is_empty_when_none_or_no_sound_one_was_given(self, server: Any, problem: Any, id: str) -> None:
        server.on(f"POST {RUN}/pause", _with_id(problem(500, "internal", "the detail"), id))
        async with AsyncClient(server.url) as client:
            with pytest.raises(ServerFault) as caught:
                await client.run("r1").pause()
        assert caught.value.request_id == ""


def _accepted() -> web.Response:
    return web.Response(status=202)


def _again() -> web.Response:
    return web.json_response({"id": "r2", "url": "/v1/workflows/r2"}, status=202)


def _with_id(answer: Callable[[], web.Response], id: str) -> Callable[[], web.Response]:
    def make() -> web.Response:
        response = answer()
        response.headers["X-Request-Id"] = id
        return response

    return make


def _json(body: bytes) -> Any:
    return json.loads(body) if body else None
