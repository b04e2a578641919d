"""``waterflow server``: exit codes and words of each way to start, stop and fail."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from waterflow_server.dev import EmbeddedTemporal

from .conftest import ServerCommand

NAP = b"jobs: {nap: {steps: [{uses: sleep, with: {duration: 1s}}]}}"
"""Needs no agent: a node that the interpreter itself runs, in a job that names no servers."""


def ask(url: str, data: bytes | None = None) -> Any:
    """The JSON answer; ``data`` is sent as YAML."""
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/yaml"} if data else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


class TestStart:
    async def test_a_temporal_that_is_not_there(self, server: ServerCommand) -> None:
        ended = await server("start", "--temporal-wait", "0.5")
        assert ended.code == 69
        assert ended.err.splitlines()[-1] == (
            "waterflow server: no Temporal server answers at 127.0.0.1:1 (waited 0.5 s). Start one, or name another "
            "with --temporal or TEMPORAL_ADDRESS; `waterflow dev` starts a server with its own Temporal"
        )

    async def test_a_namespace_that_is_not_there(self, server: ServerCommand, temporal: EmbeddedTemporal) -> None:
        ended = await server("start", "--namespace", "nope", temporal=temporal.address)
        assert ended.code == 69
        assert ended.err.splitlines()[-1] == (
            f"waterflow server: Temporal at {temporal.address} has no namespace 'nope'; make it with "
            "`temporal operator namespace create -n nope` or name another (TEMPORAL_NAMESPACE)"
        )

    async def test_a_busy_port(self, server: ServerCommand) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", server.port))
            other.listen()
            ended = await server("start")
        assert (ended.code, ended.err) == (
            75,
            f"waterflow server: port {server.port} on 127.0.0.1 is taken by another program; stop it "
            "(`waterflow server status` tells whether it is a Waterflow server) or choose another port with "
            "--port or WATERFLOW_PORT\n",
        )

    async def test_a_wrong_setting(self, server: ServerCommand) -> None:
        ended = await server("start", "--log-level", "loud")
        assert (ended.code, ended.err) == (
            78,
            "waterflow server: --log-level: `log_level` is 'loud'; it has to be one of debug, info, warning, error\n",
        )

    async def test_a_key_file_that_is_none(self, server: ServerCommand, tmp_path: Path) -> None:
        ended = await server("start", "--keys-file", str(tmp_path / "none"))
        assert (ended.code, ended.err) == (
            78,
            f"waterflow server: keys_file: key file {tmp_path}/none: No such file or directory\n",
        )

    async def test_keys_are_to_be_asked_for_and_nobody_could_make_one(
        self, server: ServerCommand, temporal: EmbeddedTemporal
    ) -> None:
        ended = await server("start", "--auth", temporal=temporal.address)
        assert (ended.code, ended.err.splitlines()[-1]) == (
            78,
            "waterflow server: the server is to ask for API keys, and there is no key with which to make any: make one "
            "(`openssl rand -hex 32 > admin.key`), name the file in auth.admin_key_file or WATERFLOW_ADMIN_KEY_FILE, "
            "and use it as API key to make the others (`waterflow key create`)",
        )

    async def test_an_admin_key_that_could_be_guessed(self, server: ServerCommand, tmp_path: Path) -> None:
        (tmp_path / "admin.key").write_text("hunter2\n")
        ended = await server("start", "--auth", "--admin-key-file", str(tmp_path / "admin.key"))
        assert (ended.code, ended.err) == (
            78,
            f"waterflow server: auth.admin_key_file: {tmp_path}/admin.key: an admin key has 32 to 512 visible ASCII "
            "characters, such as `openssl rand -hex 32` makes them\n",
        )

    async def test_an_unknown_flag(self, server: ServerCommand) -> None:
        ended = await server("start", "--prot", "1")
        assert ended.code == 2
        assert "unrecognized arguments: --prot 1" in ended.err


class TestNotRunning:
    @pytest.mark.parametrize("verb", ["stop", "status"])
    async def test_it_is_said(self, server: ServerCommand, verb: str) -> None:
        ended = await server(verb)
        assert (ended.code, ended.out, ended.err) == (3, f"No server runs at {server.url}.\n", "")


class TestRunning:
    async def test_from_start_to_stop(self, server: ServerCommand, temporal: EmbeddedTemporal) -> None:
        started = await server("start", "--background", temporal=temporal.address)
        assert started.code == 0, started.err
        assert started.out.startswith(f"The server runs at {server.url} (process ")
        try:
            again = await server("start", temporal=temporal.address)
            assert (again.code, again.err) == (
                75,
                f"waterflow server: a Waterflow server already runs at {server.url}; `waterflow server stop` ends it\n",
            )
            shown = await server("status")
            assert shown.code == 0
            assert shown.out.endswith(f"and is ready. Version 0.1.0, Temporal {temporal.address}.\n")

            run = await asyncio.to_thread(ask, f"{server.url}/v1/workflows?filename=nap.yaml", NAP)
            state = await asyncio.to_thread(ask, f"{server.url}{run['url']}")
            assert (state["id"], state["name"], state["started_by"]) == (run["id"], "nap", "anonymous")
        finally:
            stopped = await server("stop")
        assert (stopped.code, stopped.out) == (0, f"The server at {server.url} has ended.\n")
        assert (await server("status")).code == 3

    async def test_sigterm_ends_it_cleanly(self, server: ServerCommand, temporal: EmbeddedTemporal) -> None:
        process = await server.begin("start", temporal=temporal.address)
        assert process.stderr is not None
        async for line in process.stderr:
            if json.loads(line)["message"] == "serving":
                break
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        assert process.returncode == 0
        assert json.loads(err.splitlines()[-1])["message"] == "stopped"

    async def test_without_temporal_it_is_alive_but_not_ready(
        self, server: ServerCommand, temporal: EmbeddedTemporal
    ) -> None:
        await server("start", "--background", temporal=temporal.address)
        try:
            await temporal.stop()
            shown = await server("status")
            assert shown.code == 69
            assert f"but it is not ready: Temporal at {temporal.address} does not answer" in shown.out
            assert (await asyncio.to_thread(ask, f"{server.url}/health/live"))["status"] == "ok"
        finally:
            await server("stop")

    async def test_a_background_start_that_fails_says_why_and_leaves_nothing(self, server: ServerCommand) -> None:
        ended = await server("start", "--background", "--temporal-wait", "0.5")
        assert ended.code == 69
        assert ended.err.startswith("waterflow server: no Temporal server answers at 127.0.0.1:1 (waited 0.5 s).")
        assert (await server("status")).code == 3
