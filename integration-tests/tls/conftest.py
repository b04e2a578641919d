"""Authorities of one's own, and an agent as a process of its own whose log can be awaited."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness.site import until

from ._authority import Authority


class LoneAgent:
    """Agents without a site: what they say about their connection."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        self.log = root / "agent.log"

    def start(self, temporal: str, *, code: str | None = None, **environ: object) -> subprocess.Popen[bytes]:
        """Start it; ``environ`` are settings. ``code`` is run in its place, and runs it."""
        command = [sys.executable, *(["-c", code] if code else ["-m", "waterflow_agent"])]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "WATERFLOW_"))}
        own |= {"WATERFLOW_STATE_DIR": str(self._root / "agent"), "TEMPORAL_ADDRESS": temporal, "PYTHONUNBUFFERED": "1"}
        own |= {name: str(value) for name, value in environ.items()}
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=own, stdout=log, stderr=log)
        self._processes.append(process)
        return process

    async def until_says(self, text: str) -> None:
        """Wait for a text in its log."""

        async def said() -> bool:
            return text in self.log.read_text()

        try:
            await until(said, "the agent says it")
        except AssertionError as error:
            raise AssertionError(f"{text!r} is not in:\n{self.log.read_text()}") from error

    def stop(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.wait(60)


@pytest_asyncio.fixture
async def agent(tmp_path: Path) -> AsyncIterator[LoneAgent]:
    """Not started yet."""
    made = LoneAgent(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The authority that everybody trusts."""
    return Authority(tmp_path / "ours", "Our CA")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    """Another one."""
    return Authority(tmp_path / "theirs", "Their CA")
