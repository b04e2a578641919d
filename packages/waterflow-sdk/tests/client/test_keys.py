"""API keys: what is sent, and which errors come back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from waterflow_sdk.client import AsyncClient, Client, Conflict, Forbidden, InvalidRequest, KeyNotFound
from waterflow_sdk.wire import KeyCreated, KeyInfo

TIME = datetime(2026, 11, 21, 10, tzinfo=UTC)
INFO = KeyInfo(id="0123456789ab", name="web-01", hint="cdef", scopes=["agent"], created=TIME)
KEY = f"wf_{INFO.id}_{'0' * 64}"

REQUESTS = [
    ("GET /v1/keys", None),
    ("POST /v1/keys", {"name": "ci", "scopes": ["run"], "expires": "2026-11-21T10:00:00Z"}),
    ("POST /v1/keys", {"name": "web-01", "scopes": ["agent"], "agent": "web-01"}),
    ("DELETE /v1/keys/0123456789ab", None),
    ("DELETE /v1/keys/web-01", None),
]


def answers(server: Any) -> None:
    """Whatever is asked of keys."""
    server.on("GET /v1/keys", [INFO])
    server.on("POST /v1/keys", KeyCreated(key=KEY, info=INFO))
    for word in (INFO.id, INFO.name):
        server.on(f"DELETE /v1/keys/{word}", INFO)


def sent(server: Any) -> list[tuple[str, Any]]:
    """The requests, with their bodies."""
    return [(route, msgspec.json.decode(body) if body else None) for route, body, _ in server.requests]


class TestBothClients:
    async def test_asynchronous(self, server: Any) -> None:
        answers(server)
        async with AsyncClient(server.url) as client:
            assert await client.keys.list() == [INFO]
            assert (await client.keys.create("ci", ["run"], expires=TIME)).key == KEY
            await client.keys.create("web-01", ["agent"], agent="web-01")
            await client.keys.revoke(INFO.id)
            assert await client.keys.revoke("web-01") == INFO
        assert sent(server) == REQUESTS

    async def test_synchronous(self, server: Any) -> None:
        answers(server)

        def use() -> None:
            with Client(server.url) as client:
                assert client.keys.list() == [INFO]
                assert client.keys.create("ci", ["run"], expires=TIME).key == KEY
                client.keys.create("web-01", ["agent"], agent="web-01")
                client.keys.revoke(INFO.id)
                assert client.keys.revoke("web-01") == INFO

        await asyncio.to_thread(use)
        assert sent(server) == REQUESTS


class TestRevoke:
    async def test_of_a_whole_key_only_the_id_is_sent(self, server: Any) -> None:
        answers(server)
        async with AsyncClient(server.url) as client:
            await client.keys.revoke(KEY)
        assert sent(server) == [("DELETE /v1/keys/0123456789ab", None)]

    async def test_is_repeated_when_the_answer_was_lost(self, server: Any, problem: Any) -> None:
        server.on("DELETE /v1/keys/web-01", problem(503, "temporal-unavailable", "away"), INFO)
        async with AsyncClient(server.url) as client:
            assert await client.keys.revoke("web-01") == INFO


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [(403, "forbidden", Forbidden), (404, "key-not-found", KeyNotFound), (409, "key-ambiguous", Conflict)],
    )
    async def test_of_revoke(self, server: Any, problem: Any, status: int, code: str, kind: type[Exception]) -> None:
        server.on("DELETE /v1/keys/ann", problem(status, code, "no"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(kind, match="no"):
                await client.keys.revoke("ann")

    async def test_of_create(self, server: Any, problem: Any) -> None:
        server.on("POST /v1/keys", problem(422, "invalid-key", "name: 'a b' is not a name"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(InvalidRequest, match="name: 'a b' is not a name"):
                await client.keys.create("a b", ["read"])
