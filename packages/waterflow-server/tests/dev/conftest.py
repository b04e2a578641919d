"""Fixtures for the tests of the embedded stack: a real Temporal binary, settings below tmp_path."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from waterflow_server.dev import TemporalSettings, find_temporal


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """The Temporal CLI of this machine, found (or fetched once) as a user's would be."""
    environ = {**os.environ, "PATH": f"{os.environ['PATH']}:{Path.home() / 'go/bin'}"}
    return asyncio.run(find_temporal(TemporalSettings.from_environ(), _say, environ)).path


@pytest.fixture
def settings(temporal_binary: Path, tmp_path: Path) -> TemporalSettings:
    """Settings of a Temporal server whose data are in tmp_path; at the end it is not waited for as long as it likes."""
    return TemporalSettings(binary=temporal_binary, data_dir=tmp_path / "data", stop_timeout=0.1)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def ended_within(pid: int, seconds: float) -> bool:
    """Whether the process, which need not be a child of this one, ends within the time."""
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_with(argument: str) -> list[int]:
    """The running processes that have the text in their command line."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


async def until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Waits for something in another process that nobody announces; raises TimeoutError after the time."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes minutes on a machine without warm caches")
