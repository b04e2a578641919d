"""The second port: logs of agents, and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from waterflow_server._ingest import IngestPortBusy, listening_for_ingest
from waterflow_server.dev import EmbeddedTemporal
from waterflow_server.settings import Settings

from .conftest import ServerCommand

LINE = b'{"time":"2026-11-21T10:00:00Z","stream":"stdout","text":"one"}\n'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(method: str, url: str, body: bytes | None = None) -> tuple[int, str, dict[str, object]]:
    request = urllib.request.Request(url, body, method=method, headers={"Content-Type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers["Content-Type"], json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], json.load(error)


class TestListening:
    @pytest.mark.parametrize(
        "given",
        [{"ingest_port": 0}, {"host": "0.0.0.0", "insecure_no_auth": True}, {"port": 9090}],
        ids=["turned off", "beyond loopback unless it is asked for", "the API itself is there"],
    )
    def test_none(self, tmp_path: Path, given: dict[str, object]) -> None:
        with listening_for_ingest(Settings(data_dir=tmp_path, **given)) as listener:  # type: ignore[arg-type]
            assert listener is None

    def test_a_busy_one_that_nobody_named_is_passed_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            monkeypatch.setattr("waterflow_server._ingest.PORT", other.getsockname()[1])
            with listening_for_ingest(Settings(data_dir=tmp_path)) as listener:
                assert listener is None

    def test_a_busy_one_that_was_named_is_an_error(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with (
                pytest.raises(IngestPortBusy) as caught,
                listening_for_ingest(Settings(data_dir=tmp_path, ingest_port=port)),
            ):
                pass
        assert caught.value.message == (
            f"`ingest_port`: cannot listen on 127.0.0.1:{port}: Address already in use; "
            "choose another one, or 0 for none"
        )


class TestServing:
    async def test_logs_are_taken_and_all_else_is_refused(
        self, server: ServerCommand, temporal: EmbeddedTemporal
    ) -> None:
        ingest = free_port()
        started = await server("start", "--background", "--ingest-port", str(ingest), temporal=temporal.address)
        assert started.code == 0, started.err
        try:
            path = "/v1/logs/r1/build/steps[0].1?offset=0&agent=web-01"
            answer = await asyncio.to_thread(ask, "PUT", f"http://127.0.0.1:{ingest}{path}", LINE)
            assert (answer[0], answer[2]) == (200, {"offset": len(LINE)})
            for method, other in (("GET", "/v1/workflows"), ("GET", path), ("GET", "/schema"), ("PUT", "/v1/groups/a")):
                refused = await asyncio.to_thread(ask, method, f"http://127.0.0.1:{ingest}{other}")
                assert refused == (
                    404,
                    "application/problem+json",
                    {
                        "type": "about:blank",
                        "title": "Not Found",
                        "status": 404,
                        "code": "ingest-only",
                        "detail": f"this port takes only logs of agents; the API is on port {server.port}",
                    },
                )
            status, _, _ = await asyncio.to_thread(ask, "GET", f"{server.url}/v1/workflows")
            assert status == 200
        finally:
            await server("stop")
