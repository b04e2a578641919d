"""A node that crashes the whole agent: the next start knows it by name, and leaves it alone in the end."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from waterflow_agent._crashes import MOST, Crashes
from waterflow_agent._journal import Journal
from waterflow_agent._leftovers import end_leftovers
from waterflow_agent._logs import Logs
from waterflow_agent._notices import Notices
from waterflow_agent._registry import NodeRegistry
from waterflow_agent._settings import AgentSettings
from waterflow_sdk.wire import State

from .conftest import AGENT, key

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

PACK = '''
import ctypes

from waterflow_sdk.node import Node, node


class Boom(Node):
    """Crashes."""

    name = "demo/boom"
    version = "1.0.0"

    {kind}def execute(self, ctx, inputs):
        ctypes.string_at(0)


@node(name="demo/function", version="1.0.0")
{kind}def function(ctx) -> None:
    """Crashes as well."""
    ctypes.string_at(0)
'''

# What an agent does, as far as it matters here: it watches, and runs a node.
AGENT_PROCESS = """
import sys
from pathlib import Path

import {module} as pack
from waterflow_agent._crashes import Crashes
from waterflow_agent._registry import NodeRegistry
from waterflow_sdk.testing import run_node

Crashes(Path(sys.argv[1]), NodeRegistry()).watch()
run_node(getattr(pack, sys.argv[2]))
"""


class Host:
    """A state directory, and a pack of nodes that is not the one of another test."""

    def __init__(self, tmp_path: Path, module: str, journal: Journal) -> None:
        self.state, self.journal = tmp_path, journal
        self.file = tmp_path / f"{module}.py"
        self.registry = NodeRegistry()
        self._module = module

    def install(self, kind: str = "") -> None:
        """The pack, of asynchronous nodes or of others."""
        self.file.write_text(PACK.format(kind=kind))
        pack = importlib.import_module(self._module)
        self.registry.add(pack.Boom)
        self.registry.add(pack.function)

    def crash(self, node: str = "Boom") -> None:
        """A start of the agent that ends by the node."""
        words = [sys.executable, "-c", AGENT_PROCESS.format(module=self._module), str(self.state), node]
        ended = subprocess.run(words, cwd=self.state, capture_output=True, timeout=100, check=False)
        assert ended.returncode == -11, ended.stderr

    def start(self) -> Crashes:
        """The next start of the agent."""
        return Crashes(self.state, self.registry)


@pytest.fixture
def host(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Host(tmp_path, f"crashing_pack_{time.monotonic_ns()}", journal)


class TestBlame:
    @pytest.mark.parametrize("kind", ["async ", ""], ids=["asynchronous", "in a thread"])
    @pytest.mark.parametrize(
        ("attribute", "node", "place"),
        [
            ("Boom", "demo/boom", "line 14, in execute"),
            ("function", "demo/function", "line 20, in function"),
        ],
    )
    def test_names_the_node_and_the_place(self, host: Host, kind: str, attribute: str, node: str, place: str) -> None:
        host.install(kind)
        host.journal.start(key(), "i1", AT, node=node)
        host.journal.start(key("steps[1]"), "i1", AT, node="shell")
        host.crash(attribute)
        where = f"Segmentation fault in {host.file}, {place}"
        assert host.start().last(host.journal.unfinished) == {
            str(key()): f"{node} has a defect: it crashed the whole agent ({where})"
        }

    def test_is_told_once(self, host: Host) -> None:
        host.install()
        host.journal.start(key(), "i1", AT, node="demo/boom")
        host.crash()
        assert len(host.start().last(host.journal.unfinished)) == 1
        assert host.start().last(host.journal.unfinished) == {}

    def test_is_nobodys_after_a_kill(self, host: Host) -> None:
        host.install()
        host.journal.start(key(), "i1", AT, node="demo/boom")
        (host.state / "crash.txt").touch()  # what a start leaves that watched and was killed
        assert host.start().last(host.journal.unfinished) == {}

    async def test_is_the_outcome_of_the_attempt(self, host: Host) -> None:
        logs = Logs(AgentSettings(state_dir=host.state), "web-01", Notices())
        host.journal.start(key(), "i1", AT, node="demo/boom")
        await end_leftovers(AGENT, host.journal, logs, crashed={str(key()): "demo/boom has a defect"})
        outcome = host.journal.outcome(key())
        assert outcome is not None
        assert outcome.error is not None
        assert (outcome.state, outcome.error.code, outcome.error.message, outcome.error.retryable) == (
            State.FAILED,
            "node-crashed",
            "demo/boom has a defect",
            False,
        )


def objection(host: Host) -> str:
    """Why the next start leaves the node alone."""
    found = host.registry.get("demo/boom")
    assert found is not None
    return host.start().objection(found)


@pytest.fixture
def crashed(host: Host) -> Host:
    """The node has crashed the agent as often as it may."""
    host.install()
    host.journal.start(key(), "i1", AT, node="demo/boom")
    host.crash()
    report = (host.state / "crash.txt").read_bytes()
    for _time in range(MOST):
        assert objection(host) == ""
        (host.state / "crash.txt").write_bytes(report)
        host.start().last(host.journal.unfinished)
    return host


class TestLeftAlone:
    def test_after_three_crashes_within_an_hour(self, crashed: Host) -> None:
        assert objection(crashed) == (
            "leaves node 'demo/boom' alone: it has crashed the whole agent 3 times within an hour; it is used again "
            "when its code has changed, or an hour later"
        )

    def test_until_its_code_has_changed(self, crashed: Host) -> None:
        crashed.file.write_text(crashed.file.read_text() + "# mended\n")
        assert objection(crashed) == ""

    def test_for_an_hour(self, crashed: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        later = time.time() + 3601
        monkeypatch.setattr(time, "time", lambda: later)
        assert objection(crashed) == ""

    @pytest.mark.parametrize("content", [b"", b"\x00\xff", b'{"demo/boom": 3}'])
    def test_an_unreadable_book_is_none(self, crashed: Host, content: bytes) -> None:
        (crashed.state / "crashes.json").write_bytes(content)
        assert objection(crashed) == ""
