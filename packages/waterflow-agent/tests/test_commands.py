"""The commands: what they print, and their exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waterflow_agent.commands import main


class TestHelp:
    def test_lists_every_flag(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"], "waterflow-agent") == 0
        text = capsys.readouterr().out
        assert text.startswith("usage: waterflow-agent [start] [options]")
        assert "--state-dir VALUE" in text


class TestErrors:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["--gruops", "web"], "error: unknown argument '--gruops'; did you mean --groups?\n"),
            (["begin"], "error: unknown command 'begin'; see waterflow-agent --help\n"),
        ],
    )
    def test_wrong_arguments(self, capsys: pytest.CaptureFixture[str], argv: list[str], message: str) -> None:
        assert main(argv, "waterflow-agent") == 2
        assert capsys.readouterr().err == message


class TestProcess:
    def test_without_temporal_it_tries_on_and_says_so_once(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "waterflow_agent", "--temporal", "127.0.0.1:1", "--state-dir", str(tmp_path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            lines = [process.stderr.readline().partition(" WARNING ")[2] for _ in range(2)]
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read().splitlines()
        assert lines == [
            "no server address is set, so step logs stay on this host\n",
            "Temporal at 127.0.0.1:1 cannot be reached (Connection refused); trying again for ever\n",
        ]
        assert [line.partition(" INFO ")[2] for line in rest] == [
            "SIGTERM: stopping; the same signal again stops at once"
        ]
        assert process.returncode == 0

    def test_a_bad_server_address(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "waterflow_agent", "--server", "ftp://x", "--state-dir", str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert ended.returncode == 2
        assert ended.stderr.endswith("ERROR server address 'ftp://x' is not of the form [http[s]://]host[:port]\n")
