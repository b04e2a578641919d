"""The `waterflow` command as a user calls it: a process with an environment and a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said."""

    code: int
    stdout: str
    stderr: str


class Command:
    """Runs `waterflow` in the directory ``home``, which also holds what it keeps: settings, data, temporary files."""

    def __init__(self, home: Path, temporal_binary: Path | None = None) -> None:
        self.home = home
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        own = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "WATERFLOW_"))}
        self.environ = own | {"HOME": str(home), "TMPDIR": str(home / "tmp"), "XDG_CACHE_HOME": str(home / "cache")}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "CLICOLOR_FORCE", "FORCE_COLOR"):
            self.environ.pop(name, None)
        if temporal_binary is not None:
            self.environ["WATERFLOW_TEMPORAL_BINARY"] = str(temporal_binary)

    def run(self, *arguments: str, within: float = 240.0, stdin: bytes = b"", **environ: str) -> Result:
        """To its end, within so many seconds."""
        done = subprocess.run(
            self._words(arguments),
            cwd=self.home,
            env=self.environ | environ,
            input=stdin,
            capture_output=True,
            timeout=within,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Started only; the caller ends it."""
        return subprocess.Popen(
            self._words(arguments),
            cwd=self.home,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _words(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "waterflow_cli", *arguments]


_VARYING = (
    (re.compile(r"\bk-[a-z2-7]{24}\b|\b\d{8}-\d{6}-[a-z2-7]{8}\b"), "RUN"),
    (re.compile(r"(127\.0\.0\.1):\d+"), r"\1:PORT"),
    (re.compile(r"\b\d+\.\ds\b"), "0.0s"),
)


def steady(text: str) -> str:
    """Output without what differs each time: ids of runs, free ports, durations."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text
