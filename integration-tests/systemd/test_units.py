"""The units of `deployments/systemd`: systemd takes them, and their times fit those of the programs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from waterflow_agent import AgentSettings
from waterflow_sdk.wire import NodeTask

Unit = dict[str, list[str]]


def read(path: Path) -> Unit:
    """The directives of a unit; systemd allows some of them several times."""
    found: Unit = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("name", ["waterflow-agent", "waterflow-server"])
class TestUnit:
    def test_is_taken_by_systemd(
        self, name: str, repository: Path, tmp_path: Path, require_component: Callable[[str, str], Path]
    ):
        """Only the path of the program is another one: it need not be installed where the tests run."""
        analyze = require_component("systemd-analyze", "Install Debian's package systemd.")
        text = (repository / f"deployments/systemd/{name}.service").read_text()
        unit = tmp_path / f"{name}.service"
        unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
        done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
        told = [line for line in done.stderr.splitlines() if name in line]  # other units of the machine are not ours
        assert (done.returncode, told) == (0, [])

    def test_sends_sigterm_to_the_main_process_alone(self, name: str, repository: Path):
        """It drains. What is left of a server is killed; what is left of an agent is for its next start to adopt."""
        mode = {"waterflow-agent": "process", "waterflow-server": "mixed"}[name]
        assert read(repository / f"deployments/systemd/{name}.service")["KillMode"] == [mode]


class TestAgentUnit:
    def test_waits_longer_than_the_agent_drains(self, repository: Path):
        unit = read(repository / "deployments/systemd/waterflow-agent.service")
        kill_grace = NodeTask.__struct_defaults__[NodeTask.__struct_fields__.index("kill_grace") - _required(NodeTask)]
        outcomes_logs_and_lease = 30
        assert int(unit["TimeoutStopSec"][0]) > AgentSettings().stop_grace + kill_grace + outcomes_logs_and_lease

    def test_has_the_agents_default_directories(self, repository: Path):
        unit = read(repository / "deployments/systemd/waterflow-agent.service")
        state = Path("/var/lib") / unit["StateDirectory"][0]
        assert (state, Path("/var/log") / unit["LogsDirectory"][0]) == (
            Path("/var/lib/waterflow"),
            AgentSettings(state_dir=state).spool_dir,
        )

    def test_a_step_that_eats_all_memory_does_not_end_the_agent(self, repository: Path):
        assert read(repository / "deployments/systemd/waterflow-agent.service")["OOMPolicy"] == ["continue"]


def _required(struct: type[NodeTask]) -> int:
    return len(struct.__struct_fields__) - len(struct.__struct_defaults__)
