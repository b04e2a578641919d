"""A real Temporal for the server process, from the embedded stack."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from waterflow_server.dev import EmbeddedTemporal, TemporalSettings, find_temporal


class Finished(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str


class ServerCommand:
    """``python -m waterflow_server`` with a data directory and a port of its own."""

    def __init__(self, data_dir: Path, temporal: str, port: int) -> None:
        self.data_dir, self.temporal, self.port = data_dir, temporal, port
        self.url = f"http://127.0.0.1:{port}"

    async def __call__(self, verb: str, *flags: str, temporal: str | None = None) -> Finished:
        process = await self.begin(verb, *flags, temporal=temporal)
        out, err = await process.communicate()
        return Finished(process.returncode or 0, out.decode(), err.decode())

    async def begin(self, verb: str, *flags: str, temporal: str | None = None) -> asyncio.subprocess.Process:
        """Start it, and do not wait."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "waterflow_server", verb, *flags),
            *("--port", str(self.port), "--data-dir", str(self.data_dir)),
            *("--temporal", temporal or self.temporal),
            env={name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL", "WATERFLOW"))},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """The Temporal CLI of this machine, found (or fetched once) as a user's would be."""
    environ = {**os.environ, "PATH": f"{os.environ['PATH']}:{Path.home() / 'go/bin'}"}
    return asyncio.run(find_temporal(TemporalSettings.from_environ(), lambda _: None, environ)).path


@pytest.fixture
async def temporal(temporal_binary: Path, tmp_path: Path) -> AsyncIterator[EmbeddedTemporal]:
    settings = TemporalSettings(binary=temporal_binary, data_dir=tmp_path / "temporal", ui=False, stop_timeout=0.1)
    async with EmbeddedTemporal(settings) as embedded:
        yield embedded


@pytest.fixture
def server(tmp_path: Path) -> ServerCommand:
    """Commands for a server without a Temporal; nothing listens at its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return ServerCommand(tmp_path / "server", "127.0.0.1:1", port)
