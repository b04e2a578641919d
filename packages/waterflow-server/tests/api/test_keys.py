"""Which key a request needs, what the others get, and the resource ``/v1/keys``."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from litestar import Litestar, get
from litestar.routes import HTTPRoute
from litestar.testing import AsyncTestClient

from waterflow_sdk.wire import ApprovalRequest, KeyScope, RunState, State
from waterflow_server import Services, create_app
from waterflow_server.api._sse import while_standing
from waterflow_server.api.run_control import _answer
from waterflow_server.auth import ANONYMOUS, Access, KeyAccess, KeyTable, KnownKeys, StoredKey
from waterflow_server.auth._secret import HINT_LENGTH, hash_of, make_key

from .conftest import TIME, Client, RunsInMemory, SubmissionsInMemory

SCOPES = ("open", "read", "run", "admin", "agent")
OPEN = {
    "/health",
    "/health/live",
    "/health/ready",
    "/schema",
    "/schema/openapi.json",
    "/schema/openapi.yaml",
    "/schema/openapi.yml",
    "/version",
}
ONLY_LOOKS = {"/v1/validate"}
"""Routes that read although their method is none that only reads."""

LINE = b'{"time":"2026-11-21T10:00:00Z","stream":"stdout","text":"one"}\n'
INGEST = "/v1/logs/r1/build/steps[0].1?offset=0&agent=web-01"


class Held:
    """Keys that tests make, and what they are."""

    def __init__(self) -> None:
        self.known = KnownKeys()
        self.table = KeyTable()
        self.known.take(self.table)

    def give(self, *scopes: KeyScope, **more: object) -> dict[str, str]:
        """The header with a new key."""
        key, id = make_key()
        kept = {"id": id, "name": "ann", "hash": hash_of(key), "hint": key[-HINT_LENGTH:], "created": TIME, **more}
        self.table = self.table.adding(StoredKey(scopes=list(scopes), **kept), TIME)  # type: ignore[arg-type]
        self.known.take(self.table)
        return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def access(held: Held) -> Access:
    """Everybody is asked for a key."""
    return KeyAccess(held.known, None, lambda: TIME)


def routes(app: Litestar) -> Iterator[tuple[str, str, str]]:
    """Method, path and declared scope of everything that the application serves."""
    for route in app.routes:
        assert isinstance(route, HTTPRoute), "somebody has to think of its keys"
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                yield str(method), route.path_format, handler.opt.get("scope", "none")


class TestRoutes:
    def test_each_declares_the_scope_that_it_needs(self, services: Services) -> None:
        undeclared = [found for found in routes(create_app(services)) if found[2] not in SCOPES]
        assert undeclared == []

    def test_only_these_are_open(self, services: Services) -> None:
        shown = {path for _, path, scope in routes(create_app(services)) if scope == "open"}
        assert {path for path in shown if not path.startswith("/schema/{")} == OPEN

    def test_whatever_changes_something_needs_more_than_read(self, services: Services) -> None:
        found = routes(create_app(services))
        weak = [each for each in found if each[0] not in ("GET", "HEAD") and each[2] in ("open", "read")]
        assert {path.removeprefix("/api") for _, path, _ in weak} == ONLY_LOOKS

    async def test_each_other_one_refuses_without_a_key(self, client: Client, services: Services) -> None:
        for method, path, scope in routes(create_app(services)):
            answer = await client.request(method, re.sub(r"\{\w+\}", "1", path))
            assert (answer.status_code == 401) is (scope != "open"), (method, path)

    async def test_one_that_declares_none_is_refused_to_everybody(self, held: Held, services: Services) -> None:
        @get("/v1/forgotten", sync_to_thread=False)
        def forgotten() -> str:
            return "secret"

        app = create_app(services)
        app.register(forgotten)
        async with AsyncTestClient(app) as client:
            answer = await client.get("/v1/forgotten", headers=held.give("admin", "agent"))
        assert answer.status_code == 403


class TestUnauthorized:
    async def test_no_key(self, client: Client) -> None:
        answer = await client.get("/v1/workflows")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="waterflow"')
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "unauthorized",
            "this server asks for an API key: send it in the header `Authorization: Bearer <key>`",
        )

    async def test_a_forged_one(self, client: Client) -> None:
        key, id = make_key()
        answer = await client.get("/v1/workflows", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="waterflow", error="invalid_token"'
        assert answer.json()["detail"].startswith(f"API key {id} is not known here")
        assert key not in answer.text

    async def test_an_expired_one(self, client: Client, held: Held) -> None:
        answer = await client.get("/v1/workflows", headers=held.give("read", expires=TIME))
        assert answer.status_code == 401
        assert "has expired at 2026-11-21 10:00:00 UTC" in answer.json()["detail"]

    async def test_a_revoked_one(self, client: Client, held: Held) -> None:
        headers = held.give("read")
        assert (await client.get("/v1/workflows", headers=headers)).status_code == 200
        held.known.take(held.table.revoking("ann", TIME))
        assert (await client.get("/v1/workflows", headers=headers)).status_code == 401

    async def test_before_the_body_is_looked_at(self, client: Client) -> None:
        answer = await client.post("/v1/workflows", content=b"{", headers={"Content-Type": "application/json"})
        assert answer.status_code == 401

    async def test_while_the_keys_were_not_read(self, services: Services) -> None:
        unread = msgspec.structs.replace(services, access=KeyAccess(KnownKeys(), None))
        async with AsyncTestClient(create_app(unread)) as client:
            answer = await client.get("/v1/workflows", headers={"Authorization": f"Bearer {make_key()[0]}"})
        assert (answer.status_code, answer.json()["code"]) == (503, "keys-unavailable")


class TestForbidden:
    async def test_a_read_key_starts_nothing(
        self, client: Client, held: Held, submissions: SubmissionsInMemory
    ) -> None:
        answer = await client.post("/v1/workflows", json={"yaml": "jobs: {}"}, headers=held.give("read"))
        assert answer.status_code == 403
        assert answer.headers["www-authenticate"] == (
            'Bearer realm="waterflow", error="insufficient_scope", scope="run"'
        )
        problem = answer.json()
        assert (problem["code"], problem["scope"]) == ("forbidden", "run")
        assert problem["detail"] == "this needs an API key with the scope run; that of ann has read"
        assert submissions.requests == []

    @pytest.mark.parametrize("scope", ["read", "run", "admin"])
    async def test_only_agents_send_logs(self, client: Client, held: Held, scope: KeyScope) -> None:
        assert (await client.put(INGEST, content=LINE, headers=held.give(scope))).status_code == 403

    @pytest.mark.parametrize("path", ["/v1/workflows", "/v1/agents", "/v1/keys", "/v1/workflows/r1/logs"])
    async def test_agents_do_nothing_else(self, client: Client, held: Held, path: str) -> None:
        assert (await client.get(path, headers=held.give("agent"))).status_code == 403

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_only_administrators_see_and_make_keys(self, client: Client, held: Held, method: str) -> None:
        assert (await client.request(method, "/v1/keys", headers=held.give("run"))).status_code == 403


class TestLogsOfAgents:
    async def test_any_agent_with_a_key_of_all(self, client: Client, held: Held) -> None:
        assert (await client.put(INGEST, content=LINE, headers=held.give("agent"))).status_code == 200

    async def test_the_agent_of_the_key(self, client: Client, held: Held) -> None:
        headers = held.give("agent", agent="web-01")
        assert (await client.put(INGEST, content=LINE, headers=headers)).status_code == 200

    async def test_another_agent(self, client: Client, held: Held, services: Services) -> None:
        answer = await client.put(INGEST, content=LINE, headers=held.give("agent", agent="web-02"))
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
            403,
            "agent-mismatch",
            "the API key ann belongs to agent 'web-02'; 'web-01' cannot send logs with it",
        )
        assert await services.logs.stream_sizes("r1") == {}


class TestWhoCalls:
    async def test_runs_are_started_by_the_name_of_the_key(self, client: Client, held: Held) -> None:
        answer = await client.post("/v1/plan", json={"yaml": "jobs: {}"}, headers=held.give("run"))
        assert answer.json()["name"] == "planned by ann"

    async def test_the_log_of_the_server_tells_the_name_and_never_the_key(
        self, client: Client, held: Held, caplog: pytest.LogCaptureFixture
    ) -> None:
        headers = held.give("read")
        with caplog.at_level(logging.DEBUG):
            await client.get("/v1/workflows", headers=headers)
            await client.get("/v1/keys", headers=headers)
        lines = [vars(record) for record in caplog.records if record.name == "waterflow.access"]
        assert [line["fields"]["caller"] for line in lines] == ["ann", "ann"]
        assert headers["Authorization"][-64:] not in str([vars(record) for record in caplog.records])


class TestAnswers:
    """Of approvals."""

    GIVEN = ApprovalRequest(by="eve")

    def test_are_given_in_the_name_of_the_key(self, held: Held, access: Access) -> None:
        caller = access.caller(held.give("run")["Authorization"])
        assert _answer(self.GIVEN, caller, approved=True).by == "ann"

    def test_in_the_name_that_is_claimed_where_nobody_is_asked_for_a_key(self) -> None:
        assert _answer(self.GIVEN, ANONYMOUS, approved=True).by == "eve"


class TestFollowers:
    async def test_get_nothing_any_more_once_their_key_is_revoked(self, held: Held, access: Access) -> None:
        caller = access.caller(held.give("read")["Authorization"])

        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            held.known.take(held.table.revoking("ann", TIME))
            yield b"two"

        got = [part async for part in while_standing(access, caller, parts())]
        assert got == [b"one", b": unauthorized: the API key has expired or was revoked\n\n"]

    @pytest.mark.parametrize("kind", ["logs?follow=true", "events"])
    async def test_need_a_key_as_everybody(self, client: Client, held: Held, runs: RunsInMemory, kind: str) -> None:
        runs.states["r1"] = RunState(id="r1", name="hello", state=State.SUCCESS)
        assert (await client.get(f"/v1/workflows/r1/{kind}")).status_code == 401
        answer = await client.get(f"/v1/workflows/r1/{kind}", headers=held.give("read"))
        assert (answer.status_code, "event: end" in answer.text) == (200, True)


class TestKeys:
    async def test_from_create_to_revoke(self, client: Client, held: Held) -> None:
        headers = held.give("admin")
        made = await client.post("/v1/keys", json={"name": "web-01", "scopes": ["agent"]}, headers=headers)
        info = {
            "id": "0123456789ab",
            "name": "web-01",
            "hint": "cdef",
            "scopes": ["agent"],
            "created": "2026-11-21T10:00:00Z",
            "created_by": "ann",
        }
        assert (made.status_code, made.json()) == (201, {"key": "wf_0123456789ab_secret", "info": info})
        assert (await client.get("/v1/keys", headers=headers)).json() == [info]
        assert (await client.delete("/v1/keys/0123456789ab", headers=headers)).json() == info

    async def test_an_unknown_one(self, client: Client, held: Held) -> None:
        answer = await client.delete("/v1/keys/nope", headers=held.give("admin"))
        assert (answer.status_code, answer.json()["code"]) == (404, "key-not-found")

    async def test_a_scope_that_there_is_none_of(self, client: Client, held: Held) -> None:
        body = {"name": "ann", "scopes": ["root"]}
        answer = await client.post("/v1/keys", json=body, headers=held.give("admin"))
        assert (answer.status_code, answer.json()["detail"]) == (400, "scopes[0]: Invalid enum value 'root'")
