"""Every call, what it sends and what it makes of the answers; in both clients."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_sdk.client import (
    AgentNotFound,
    AsyncClient,
    Client,
    Conflict,
    Forbidden,
    InvalidRequest,
    InvalidSettings,
    InvalidWorkflow,
    NodeNotFound,
    NotFound,
    NotWaterflow,
    RunNotFound,
    ServerFault,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
    WaterflowError,
    WorkflowTimeout,
)
from waterflow_sdk.client import _transport as transport
from waterflow_sdk.wire import (
    AgentState,
    AgentStatus,
    CancelRequest,
    Health,
    NodeEntry,
    NodeManifest,
    RunPage,
    RunState,
    RunSummary,
    State,
    SubmitRequest,
    SubmitResponse,
    ValidateResponse,
)

RUNS = "/v1/workflows"
ACCEPTED = SubmitResponse(id="r1", url="http://x/runs/r1", warnings=[{"code": "WF1"}])
SHELL = NodeEntry(manifest=NodeManifest(name="docker/exec", version="1.0.0"), agents=["a1"])
AGENT = AgentState(id="a1", name="web-01", status=AgentStatus.ONLINE)


def run_state(state: State) -> RunState:
    return RunState(id="r1", name="hello", state=state)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATERFLOW_SERVER", raising=False)
    monkeypatch.delenv("WATERFLOW_API_KEY", raising=False)


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "pauses", lambda: iter([0.001] * 100))


class TestSettings:
    def test_the_default_is_this_machine(self) -> None:
        assert AsyncClient().server == "http://127.0.0.1:8080"

    def test_the_environment_names_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATERFLOW_SERVER", "https://flow.example.com/base/")
        assert AsyncClient().server == "https://flow.example.com/base"

    def test_the_argument_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATERFLOW_SERVER", "http://a")
        assert AsyncClient("b:81").server == "http://b:81"

    @pytest.mark.parametrize(
        ("address", "message"),
        [
            ("ftp://a", "the server address 'ftp://a' is neither http:// nor https://"),
            ("http://", "the server address 'http://' names no host"),
            (
                "http://a:web",
                "the server address 'http://a:web' cannot be read: Port could not be cast to integer value as 'web'",
            ),
            ("http://me:pw@a", "the server address has a user name, a query or a fragment, which are not sent to it"),
            ("http://a?x=1", "the server address has a user name, a query or a fragment, which are not sent to it"),
        ],
    )
    def test_an_address_that_is_none(self, address: str, message: str) -> None:
        with pytest.raises(InvalidSettings) as caught:
            AsyncClient(address)
        assert str(caught.value) == message
        assert caught.value.remedy.startswith("write it like http://waterflow.example.com:8080")

    def test_a_key_with_a_line_break_is_refused_without_being_shown(self) -> None:
        with pytest.raises(InvalidSettings) as caught:
            AsyncClient(api_key="abc\r\nX: y")
        assert str(caught.value) == "the API key has characters that no key has (a line break, or not ASCII)"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"timeout": 0}, "timeout is 0, but must be more than 0 seconds"),
            ({"retries": -1}, "retries is -1, but must not be negative"),
        ],
    )
    def test_numbers_out_of_range(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidSettings) as caught:
            AsyncClient(**options)
        assert str(caught.value) == message

    async def test_the_key_is_sent_as_bearer_token(self, server: Any) -> None:
        server.on("GET /v1/agents", [AGENT])
        async with AsyncClient(server.url, "k3y") as client:
            await client.agents()
        assert server.requests[0][2].headers["Authorization"] == "Bearer k3y"

    async def test_a_closed_client_says_so(self, server: Any) -> None:
        client = AsyncClient(server.url)
        await client.aclose()
        with pytest.raises(InvalidSettings, match=r"^the client is closed$"):
            await client.agents()


class TestSubmit:
    async def test_everything_is_sent(self, server: Any) -> None:
        server.on(f"POST {RUNS}", lambda: ok(ACCEPTED, 202))
        async with AsyncClient(server.url) as client:
            run = await client.submit(
                "jobs: {}",
                filename="a.yaml",
                vars={"n": 1},
                inputs={"v": "x"},
                secrets={"S": "s3cret"},
                labels=["nightly"],
                idempotency_key="k",
            )
        assert (run.id, run.url, run.created, run.warnings) == ("r1", "http://x/runs/r1", True, ({"code": "WF1"},))
        assert msgspec.json.decode(server.requests[0][1], type=SubmitRequest) == SubmitRequest(
            yaml="jobs: {}",
            filename="a.yaml",
            vars={"n": 1},
            inputs={"v": "x"},
            secrets={"S": "s3cret"},
            labels=["nightly"],
            idempotency_key="k",
        )

    @pytest.mark.usefixtures("_short_pauses")
    async def test_it_is_repeated_with_the_same_key(self, server: Any, problem: Any) -> None:
        server.on(f"POST {RUNS}", problem(503, "unavailable", "starting"), lambda: ok(ACCEPTED, 202))
        async with AsyncClient(server.url) as client:
            assert (await client.submit("a: 1")).id == "r1"
        keys = [msgspec.json.decode(body, type=SubmitRequest).idempotency_key for _, body, _ in server.requests]
        assert len(keys) == 2
        assert keys[0] == keys[1]
        assert keys[0]

    async def test_a_file_with_errors_gives_all_diagnostics(self, server: Any, problem: Any) -> None:
        found = [{"code": "WF1203", "severity": "error", "message": "m"}]
        server.on(f"POST {RUNS}", problem(422, "invalid-workflow", "the file has 1 error", found))
        async with AsyncClient(server.url) as client:
            with pytest.raises(InvalidWorkflow) as caught:
                await client.submit("a: 1")
        assert str(caught.value) == "the file has 1 error"
        assert caught.value.diagnostics == found

    async def test_a_value_that_is_not_json_is_refused(self, server: Any) -> None:
        async with AsyncClient(server.url) as client:
            with pytest.raises(InvalidRequest) as caught:
                await client.submit("a: 1", vars={"x": object()})
        assert str(caught.value) == (
            "the request cannot be written as JSON: Encoding objects of type object is unsupported"
        )


class TestRuns:
    async def test_pages_are_fetched_until_the_end(self, server: Any) -> None:
        one, two, three = (RunSummary(id=f"r{n}", name="hello", state=State.RUNNING) for n in range(3))
        server.on(f"GET {RUNS}", RunPage(items=[one, two], next="c2"), RunPage(items=[three]))
        async with AsyncClient(server.url) as client:
            runs = [item async for item in client.runs(state=State.RUNNING, name="hello", label="a b")]
        assert runs == [one, two, three]
        assert [dict(request.query) for _, _, request in server.requests] == [
            {"state": "running", "name": "hello", "label": "a b", "limit": "100"},
            {"state": "running", "name": "hello", "label": "a b", "limit": "100", "cursor": "c2"},
        ]

    async def test_limit_bounds_runs_and_requests(self, server: Any) -> None:
        item = RunSummary(id="r", name="hello", state=State.RUNNING)
        server.on(f"GET {RUNS}", RunPage(items=[item] * 2, next="c2"), RunPage(items=[item] * 2, next="c3"))
        async with AsyncClient(server.url) as client:
            assert len([item async for item in client.runs(limit=3)]) == 3
        assert [request.query["limit"] for _, _, request in server.requests] == ["3", "1"]


class TestRun:
    @pytest.mark.parametrize("view", ["summary", "full"])
    async def test_status(self, server: Any, view: Any) -> None:
        server.on(f"GET {RUNS}/r1", run_state(State.RUNNING))
        async with AsyncClient(server.url) as client:
            assert await client.run("r1").status(view) == run_state(State.RUNNING)
        assert server.requests[0][2].query == {"view": view}

    async def test_wait_gives_the_full_state_at_the_end(self, server: Any) -> None:
        server.on(f"GET {RUNS}/r1", run_state(State.RUNNING), run_state(State.FAILED))
        async with AsyncClient(server.url) as client:
            assert await client.run("r1").wait() == run_state(State.FAILED)
        assert [request.query["view"] for _, _, request in server.requests] == ["summary", "summary", "full"]

    async def test_wait_outlives_a_server_that_starts_anew(self, server: Any, problem: Any) -> None:
        server.on(f"GET {RUNS}/r1", *[problem(503, "unavailable", "starting")] * 3, run_state(State.SUCCESS))
        async with AsyncClient(server.url, retries=0) as client:
            assert (await client.run("r1").wait()).state is State.SUCCESS

    async def test_wait_has_a_limit(self, server: Any) -> None:
        server.on(f"GET {RUNS}/r1", run_state(State.RUNNING))
        async with AsyncClient(server.url) as client:
            with pytest.raises(WorkflowTimeout) as caught:
                await client.run("r1").wait(timeout=0.2)
        assert str(caught.value) == "run r1 did not end within 0.2 seconds"
        assert caught.value.details == {"run": "r1"}

    async def test_cancel(self, server: Any) -> None:
        server.on(f"POST {RUNS}/r1/cancel", lambda: web.Response(status=202))
        async with AsyncClient(server.url) as client:
            await client.run("r1").cancel("wrong host", force=True)
        assert msgspec.json.decode(server.requests[0][1], type=CancelRequest) == CancelRequest(
            reason="wrong host", force=True
        )

    async def test_a_cancel_that_may_have_arrived_is_not_repeated(self, server: Any, problem: Any) -> None:
        server.on(f"POST {RUNS}/r1/cancel", problem(503, "unavailable", "starting"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(ServerUnavailable):
                await client.run("r1").cancel()
        assert len(server.requests) == 1

    @pytest.mark.parametrize("id", ["", ".", "..", "a/.."])
    def test_an_id_that_would_lead_elsewhere(self, id: str) -> None:
        if id == "a/..":
            assert AsyncClient().run(id).id == id  # its slash is quoted, so that it stays one segment
            return
        with pytest.raises(InvalidRequest) as caught:
            AsyncClient().run(id)
        assert str(caught.value) == f"{id!r} cannot be a name"


class TestCatalogAndAgents:
    async def test_all_calls(self, server: Any) -> None:
        server.on("GET /v1/nodes", [SHELL])
        server.on("GET /v1/nodes/docker/exec", SHELL)
        server.on("GET /v1/agents", [AGENT])
        server.on("GET /v1/agents/a1", AGENT)
        server.on("POST /v1/validate", ValidateResponse(valid=True, plan_hash="h"))
        async with AsyncClient(server.url) as client:
            assert await client.nodes() == [SHELL]
            assert await client.node("docker/exec") == SHELL
            assert await client.agents() == [AGENT]
            assert await client.agent("a1") == AGENT
            assert await client.validate("a: 1") == ValidateResponse(valid=True, plan_hash="h")

    async def test_agents_by_groups_tags_and_status(self, server: Any) -> None:
        server.on("GET /v1/agents", [AGENT])
        async with AsyncClient(server.url) as client:
            wanted = {"tags": ["zone=a b"], "statuses": [AgentStatus.ONLINE, AgentStatus.DRAINING]}
            assert await client.agents(groups=["web", "db"], **wanted) == [AGENT]
        assert list(server.requests[0][2].query.items()) == [
            *(("group", "web"), ("group", "db")),
            ("tag", "zone=a b"),
            *(("status", "online"), ("status", "draining")),
        ]

    async def test_an_address_that_the_server_does_not_know_is_no_missing_run(self, server: Any, problem: Any) -> None:
        server.on(f"GET {RUNS}/r1", problem(404, "route-not-found", "there is no '/v1/workflows/r1' in this API"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotFound) as caught:
                await client.run("r1").status()
        assert type(caught.value) is NotFound

    async def test_what_is_missing_has_its_own_error(self, server: Any) -> None:
        async with AsyncClient(server.url) as client:
            with pytest.raises(NodeNotFound):
                await client.node("no/such")
            with pytest.raises(AgentNotFound):
                await client.agent("nobody")
            with pytest.raises(RunNotFound):
                await client.run("r9").status()


class TestHealth:
    @pytest.mark.parametrize("status", [200, 503])
    async def test_not_ready_is_an_answer(self, server: Any, status: int) -> None:
        health = Health(status="ok" if status == 200 else "unavailable", version="0.1.0", reason="no Temporal")
        server.on("GET /health/ready", lambda: ok(health, status))
        async with AsyncClient(server.url) as client:
            assert await client.health() == health


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, InvalidRequest),
            (401, Unauthorized),
            (403, Forbidden),
            (404, NotFound),
            (409, Conflict),
            (413, InvalidRequest),
            (422, InvalidRequest),
            (429, TooManyRequests),
            (500, ServerFault),
        ],
    )
    async def test_each_status(self, server: Any, problem: Any, status: int, kind: type[WaterflowError]) -> None:
        server.on("GET /v1/agents", problem(status, "the-code", "the detail"))
        async with AsyncClient(server.url, retries=0) as client:
            with pytest.raises(WaterflowError) as caught:
                await client.agents()
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.message) == ("the-code", "the detail")

    @pytest.mark.usefixtures("_short_pauses")
    async def test_safe_calls_are_repeated(self, server: Any, problem: Any) -> None:
        server.on("GET /v1/agents", *[problem(503, "unavailable", "starting")] * 4, [AGENT])
        async with AsyncClient(server.url) as client:
            assert await client.agents() == [AGENT]
        assert len(server.requests) == 5

    @pytest.mark.usefixtures("_short_pauses")
    async def test_but_not_for_ever(self, server: Any, problem: Any) -> None:
        server.on("GET /v1/agents", problem(503, "unavailable", "Temporal is away"))
        async with AsyncClient(server.url, retries=2) as client:
            with pytest.raises(ServerUnavailable) as caught:
                await client.agents()
        assert str(caught.value) == "the server cannot answer now: Temporal is away (503 to GET /v1/agents)"
        assert len(server.requests) == 3

    @pytest.mark.usefixtures("_short_pauses")
    async def test_nobody_there(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            async with AsyncClient(address) as client:
                with pytest.raises(ServerUnavailable) as caught:
                    await client.agents()
        assert str(caught.value) == f"no answer from the server at {address}: the connection was refused"

    async def test_an_answer_that_takes_too_long(self, server: Any) -> None:
        release = asyncio.Event()

        async def handler(_: web.Request) -> web.StreamResponse:
            await release.wait()
            return web.Response()

        server.on("GET /v1/agents", handler)
        async with AsyncClient(server.url, timeout=1.0, retries=0) as client:
            with pytest.raises(ServerUnavailable) as caught:
                await client.agents()
        release.set()
        assert str(caught.value) == f"no answer from the server at {server.url}: it took too long"

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (
                lambda: web.Response(text="<html>It works!", content_type="text/html"),
                "it answers GET /v1/agents with something else (JSON is malformed: invalid character (byte 0))",
            ),
            (
                lambda: ok({"hello": "world"}),
                "it answers GET /v1/agents with something else (Expected `array`, got `object`)",
            ),
            (
                lambda: web.Response(status=404, text="no such page"),
                "it answered 404 without a problem document to GET /v1/agents",
            ),
            (
                lambda: web.Response(status=501, text="Unsupported method ('POST')"),
                "it answered 501 without a problem document to GET /v1/agents",
            ),
            (
                lambda: web.Response(status=302, headers={"Location": "https://login.example.com"}),
                "it redirects to https://login.example.com",
            ),
        ],
    )
    async def test_another_web_server(self, server: Any, answer: Callable[[], web.Response], message: str) -> None:
        server.on("GET /v1/agents", answer)
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotWaterflow) as caught:
                await client.agents()
        assert str(caught.value) == f"this is not a Waterflow server: {message}"
        assert "check the server's address" in caught.value.remedy

    async def test_a_port_that_does_not_speak_http(self) -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            await writer.drain()
            writer.close()

        listener = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with listener, AsyncClient(f"127.0.0.1:{listener.sockets[0].getsockname()[1]}") as client:
            with pytest.raises(NotWaterflow, match=r"^this is not a Waterflow server: it does not speak HTTP$"):
                await client.agents()


class TestSynchronousClient:
    async def test_every_call(self, server: Any) -> None:
        server.on(f"POST {RUNS}", lambda: ok(ACCEPTED, 202))
        server.on(f"GET {RUNS}", RunPage(items=[RunSummary(id="r1", name="hello", state=State.SUCCESS)]))
        server.on(f"GET {RUNS}/r1", run_state(State.SUCCESS))
        server.on(f"POST {RUNS}/r1/cancel", lambda: web.Response(status=202))
        server.on("GET /v1/nodes", [SHELL])
        server.on("GET /v1/nodes/docker/exec", SHELL)
        server.on("GET /v1/agents", [AGENT])
        server.on("GET /v1/agents/a1", AGENT)
        server.on("POST /v1/validate", ValidateResponse(valid=True))
        server.on("GET /health/ready", Health(status="ok", version="0.1.0"))

        def use() -> None:
            with Client(server.url) as client:
                run = client.submit("a: 1")
                assert (run.id, run.url, run.created, len(run.warnings)) == ("r1", ACCEPTED.url, True, 1)
                assert repr(client.run("r1")) == "Run('r1')"
                assert run.status().state is State.SUCCESS
                assert run.wait(timeout=60).state is State.SUCCESS
                run.cancel()
                assert [item.id for item in client.runs()] == ["r1"]
                assert (client.nodes(), client.node("docker/exec")) == ([SHELL], SHELL)
                assert (client.agents(), client.agent("a1")) == ([AGENT], AGENT)
                assert client.validate("a: 1").valid
                assert client.health().status == "ok"
                assert client.server == server.url

        await asyncio.to_thread(use)

    def test_errors_are_the_same(self) -> None:
        with Client("127.0.0.1:9", retries=0) as client, pytest.raises(ServerUnavailable):
            client.agents()

    def test_a_closed_client_says_so(self) -> None:
        client = Client()
        client.close()
        client.close()
        with pytest.raises(InvalidSettings, match=r"^the client is closed$"):
            client.agents()

    def test_both_clients_have_the_same_methods(self) -> None:
        def methods(kind: type) -> set[str]:
            return {name for name in vars(kind) if not name.startswith("_")}

        assert methods(AsyncClient) - {"aclose"} == methods(Client) - {"close"}


def ok(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
