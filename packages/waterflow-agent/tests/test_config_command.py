"""`waterflow-agent config`: what is in force and where each value came from, or what is wrong and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from waterflow_agent._settings import SETTINGS
from waterflow_agent.commands import main


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `agent.yaml` that the environment names."""
    path = tmp_path / "agent.yaml"
    path.write_text(
        "temporal:\n  host: t\n  namespace: ops\n  api_key: hidden-value\n"
        "agent: {name: file, server_group: web}\nworker: {task_queue: old}\n"
    )
    monkeypatch.setenv("WATERFLOW_AGENT_CONFIG", str(path))
    return path


class TestConfig:
    def test_each_value_with_its_source(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "env")
        assert main(["config", "--name", "flag"], "waterflow-agent") == 0
        lines = capsys.readouterr().out.splitlines()
        assert {
            f'temporal_address = "t:7233"  ({file}:2)',
            'temporal_namespace = "env"  (environment variable TEMPORAL_NAMESPACE)',
            f"temporal_api_key = ***  ({file}:4)",
            'name = "flag"  (--name)',
            f'groups = ["web"]  ({file}:5)',
            "max_concurrent_activities = 100  (default)",
            "worker.task_queue has no effect: task queues are named by Waterflow; use agent.server_group",
        } <= set(lines)
        assert {line.partition(" = ")[0] for line in lines} >= {setting.field for setting in SETTINGS}

    def test_a_bad_file(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file.write_text("agent:\n  stop_grace: soon\n")
        assert main(["config"], "waterflow-agent") == 2
        assert capsys.readouterr().err == (
            f"error: {file}:2: agent.stop_grace: expected a duration such as 30, 90s, 5m or 2h, not 'soon'\n"
        )
