"""Capabilities: found on the host, noticed when they come, go or change."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from waterflow_agent._capabilities import find_capabilities, tool_marks


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """As a package manager does it: written aside, then moved into place."""
    beside = folder / f".{name}"
    beside.write_text(f"#!/bin/sh\n{script}\n")
    beside.chmod(0o755)
    os.replace(beside, folder / name)


class TestFound:
    async def test_the_version_is_what_the_tool_says(self, tools: Path) -> None:
        install(tools, "node", "echo v22.11.0")
        found = await find_capabilities()
        assert found["node"] == "22.11.0"
        assert set(found) == {"node", "python", "cpus", "memory"}

    async def test_compose_of_either_kind(self, tools: Path) -> None:
        install(tools, "docker-compose", "echo 1.29.2")
        assert (await find_capabilities())["compose"] == "1.29.2"
        install(tools, "docker", 'test "$1" = compose && echo v2.30.1')
        found = await find_capabilities()
        assert found["compose"] == "2.30.1"
        assert "docker" not in found  # the command is there, the service does not answer

    async def test_a_tool_that_fails_or_talks_nonsense_is_none(self, tools: Path) -> None:
        install(tools, "node", "echo v22.11.0; exit 1")
        install(tools, "git", "echo hello")
        assert set(await find_capabilities()) == {"python", "cpus", "memory"}

    async def test_declared_ones_are_added_and_win(self, tools: Path) -> None:
        install(tools, "node", "echo v22.11.0")
        found = await find_capabilities({"gpu": "a100", "node": "20.0.0"})
        assert (found["gpu"], found["node"]) == ("a100", "20.0.0")

    async def test_processors_and_memory(self, tools: Path) -> None:
        del tools
        found = await find_capabilities()
        assert found["cpus"] == str(os.cpu_count())
        assert re.fullmatch(r"\d+\.\dGiB", found["memory"])


class TestMarks:
    """Cheap enough to be asked every few seconds; the tools are only started when something differs."""

    def test_stay_the_same_while_nothing_changes(self, tools: Path) -> None:
        install(tools, "node", "echo v22.11.0")
        assert tool_marks() == tool_marks()

    def test_change_when_a_tool_comes_is_replaced_or_goes(self, tools: Path) -> None:
        seen = [tool_marks()]
        install(tools, "node", "echo v22.11.0")
        seen.append(tool_marks())
        install(tools, "node", "echo v24.0.0")
        seen.append(tool_marks())
        (tools / "node").unlink()
        assert len(set(seen)) == 3
        assert tool_marks() == seen[0]

    def test_change_when_a_docker_socket_comes_to_a_place_of_its_own(
        self, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del tools
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        before = tool_marks()
        (tmp_path / "docker.sock").touch()
        assert tool_marks() != before
