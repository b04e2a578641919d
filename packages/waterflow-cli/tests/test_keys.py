"""``waterflow key …``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from waterflow_cli._exit_codes import ExitCode
from waterflow_sdk.wire import KeyCreated, KeyInfo

CREATED = datetime(2026, 11, 21, 10, tzinfo=UTC)
KEY = f"wf_0123456789ab_{'0' * 60}cdef"
WEB_01 = KeyInfo(
    id="0123456789ab",
    name="web-01",
    hint="cdef",
    scopes=["agent"],
    created=CREATED,
    created_by="admin",
    agent="web-01",
)
CI = KeyInfo(
    id="ba9876543210",
    name="ci",
    hint="0123",
    scopes=["read", "run"],
    created=CREATED,
    expires=datetime(2026, 11, 21, 11, tzinfo=UTC),
)
GONE = KeyInfo(id="aaaaaaaaaaaa", name="ann", hint="4567", scopes=["admin"], created=CREATED, revoked=CREATED)


@pytest.fixture(autouse=True)
def site(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with three keys, named by the environment."""
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)
    monkeypatch.setenv("TZ", "UTC")
    server.on("GET /v1/keys", [WEB_01, CI, GONE])
    server.on("POST /v1/keys", KeyCreated(key=KEY, info=WEB_01))
    server.on("DELETE /v1/keys/web-01", WEB_01)
    return server


class TestCreate:
    def test_only_the_key_is_on_standard_output(self, waterflow: Any, site: Any) -> None:
        result = waterflow("key", "create", "web-01", "--scope", "agent", "--agent", "web-01")
        assert result.out == f"{KEY}\n"
        assert result.err == "key 0123456789ab is good for agent; it is not shown again:\n"
        assert json.loads(site.requests[-1][1]) == {"name": "web-01", "scopes": ["agent"], "agent": "web-01"}

    def test_as_json(self, waterflow: Any) -> None:
        assert json.loads(waterflow("key", "create", "ci", "--scope", "run", "-o", "json").out)["key"] == KEY

    def test_with_a_duration(self, waterflow: Any, site: Any) -> None:
        waterflow("key", "create", "ci", "--scope", "run", "--expires", "90d")
        sent = datetime.fromisoformat(json.loads(site.requests[-1][1])["expires"])
        left = sent - datetime.now(UTC)
        assert timedelta(days=89) < left <= timedelta(days=90)

    def test_with_a_day(self, waterflow: Any, site: Any) -> None:
        waterflow("key", "create", "ci", "--scope", "run", "--expires", "2027-01-31T00:00:00Z")
        sent = datetime.fromisoformat(json.loads(site.requests[-1][1])["expires"])
        assert sent == datetime(2027, 1, 31, tzinfo=UTC)

    @pytest.mark.parametrize("time", ["soon", "2027-13-01", "999999999d"])
    def test_with_what_is_neither(self, waterflow: Any, site: Any, time: str) -> None:
        result = waterflow("key", "create", "ci", "--scope", "run", "--expires", time)
        assert result.code == ExitCode.USAGE
        assert f"{time!r} is neither a duration such as 90d nor a time such as 2027-01-31" in result.err
        assert site.requests == []

    def test_without_a_scope(self, waterflow: Any) -> None:
        result = waterflow("key", "create", "ci")
        assert result.code == ExitCode.USAGE
        assert "--scope" in result.err


class TestList:
    def test_table(self, waterflow: Any) -> None:
        assert waterflow("key", "list").out == (
            "ID            NAME    SCOPES     STATE    CREATED              EXPIRES\n"
            "0123456789ab  web-01  agent      in use   2026-11-21 10:00:00  never\n"
            "ba9876543210  ci      read, run  expired  2026-11-21 10:00:00  2026-11-21 11:00:00\n"
            "aaaaaaaaaaaa  ann     admin      revoked  2026-11-21 10:00:00  never\n"
        )

    def test_wide_shows_whose_it_is_and_how_it_ends(self, waterflow: Any) -> None:
        assert "admin  web-01  wf_0123456789ab_…cdef" in waterflow("key", "list", "-o", "wide").out

    def test_without_the_right(self, waterflow: Any, site: Any) -> None:
        site.on("GET /v1/keys", (403, "forbidden", "this needs an API key with the scope admin; that of ci has run"))
        result = waterflow("key", "list")
        assert (result.code, result.err) == (
            ExitCode.DENIED,
            "error: this needs an API key with the scope admin; that of ci has run\n"
            "hint: use an API key with the scope that the message names\n",
        )


class TestRevoke:
    def test_by_name(self, waterflow: Any) -> None:
        assert waterflow("key", "revoke", "web-01").out == "key 0123456789ab (web-01) is revoked\n"

    def test_an_unknown_one(self, waterflow: Any, site: Any) -> None:
        site.on("DELETE /v1/keys/nope", (404, "key-not-found", "there is no API key 'nope'"))
        result = waterflow("key", "revoke", "nope")
        assert (result.code, result.err) == (
            ExitCode.NOT_FOUND,
            "error: there is no API key 'nope'\nhint: `waterflow key list` shows the keys\n",
        )
