"""``waterflow node new``: a pack that works as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from waterflow_cli import ExitCode
from waterflow_sdk.testing import assert_conforms


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestPython:
    def test_the_files_are_named_after_the_node(self, waterflow: Any, here: Path) -> None:
        result = waterflow("node", "new", "slack/send-message")
        assert result.code == 0
        assert result.out.splitlines() == [
            "waterflow-slack/pyproject.toml",
            "waterflow-slack/README.md",
            "waterflow-slack/src/waterflow_slack/__init__.py",
            "waterflow-slack/src/waterflow_slack/_send_message.py",
            "waterflow-slack/tests/test_send_message.py",
        ]
        assert result.err == "next: pip install . in it, beside an agent; its README.md says more\n"
        assert '"slack/send-message" = "waterflow_slack:SendMessage"' in (
            here / "waterflow-slack/pyproject.toml"
        ).read_text(encoding="utf-8")

    def test_the_node_conforms(self, waterflow: Any, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        waterflow("node", "new", "made/greet")
        monkeypatch.syspath_prepend(str(here / "waterflow-made/src"))
        import waterflow_made  # pyright: ignore[reportMissingImports] - made by this test

        assert assert_conforms(waterflow_made.Greet).name == "made/greet"

    def test_its_own_tests_pass(self, waterflow: Any, here: Path) -> None:
        waterflow("node", "new", "slack/notify", "--folder", "pack")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        ended = subprocess.run(command, cwd=here / "pack", env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "4 passed" in ended.stdout


class TestExecutable:
    def test_it_answers(self, waterflow: Any, here: Path) -> None:
        result = waterflow("node", "new", "hosts/greet", "--language", "executable")
        assert (result.code, result.out.splitlines()) == (
            0,
            ["hosts-greet/node.yaml", "hosts-greet/run", "hosts-greet/tests/test_run.py", "hosts-greet/README.md"],
        )
        question = json.dumps({"inputs": {"name": "world"}})
        ended = subprocess.run([here / "hosts-greet/run"], input=question, capture_output=True, text=True, check=True)
        assert ended.stdout.splitlines() == ["Hello, world!", '{"outputs": {"greeting": "Hello, world!"}}']

    def test_its_own_tests_pass(self, waterflow: Any, here: Path) -> None:
        waterflow("node", "new", "hosts/greet", "--language", "executable")
        command = [sys.executable, "-m", "unittest", "discover", "tests"]
        ended = subprocess.run(command, cwd=here / "hosts-greet", capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert "Ran 2 tests" in ended.stderr


class TestRefused:
    @pytest.mark.parametrize("name", ["Slack/Notify", "slack", "../etc/passwd", "slack/", "a/b;c", ""])
    def test_a_name_that_is_none(self, waterflow: Any, here: Path, name: str) -> None:
        result = waterflow("node", "new", name)
        assert (result.code, result.err) == (
            ExitCode.USAGE,
            f"error: {name!r} cannot be a node's name: lower case words with / between them\n"
            "hint: the first word is your pack's, such as slack/notify\n",
        )
        assert list(here.iterdir()) == []

    def test_a_folder_that_has_something_in_it(self, waterflow: Any, here: Path) -> None:
        (here / "mine").mkdir()
        (here / "mine" / "work").write_text("kept", encoding="utf-8")
        result = waterflow("node", "new", "a/b", "--folder", "mine")
        assert (result.code, result.err) == (
            ExitCode.USAGE,
            "error: mine is not empty\nhint: name another folder with --folder\n",
        )
        assert [path.name for path in (here / "mine").iterdir()] == ["work"]

    def test_a_folder_that_cannot_be_made(self, waterflow: Any, here: Path) -> None:
        (here / "file").write_text("", encoding="utf-8")
        result = waterflow("node", "new", "a/b", "--folder", "file/pack")
        assert (result.code, result.err) == (ExitCode.USAGE, "error: file/pack cannot be written: Not a directory\n")
