"""A Docker engine for the tests: the one that answers, else one of their own that ends with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_READY_WITHIN = 120.0
_POLL = 0.1
_ALONE = ("--bridge=none", "--iptables=false", "--ip-forward=false")
"""Its containers use the network of the host, and nothing of that is changed for it."""


class Engine:
    """The command ``docker``, for one engine. ``images`` are removed at the end by whoever made them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # Debian's command has no BuildKit plug-in, and none of its features is used.
        self._environ = {**os.environ, **environ, "DOCKER_BUILDKIT": "0"}

    def tried(self, *arguments: str | Path, within: float = 300.0) -> subprocess.CompletedProcess[str]:
        """How the command ended, and what it said."""
        words = ["docker", *map(str, arguments)]
        return subprocess.run(
            words,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within,
            check=False,
        )

    def run(self, *arguments: str | Path, within: float = 300.0) -> str:
        """Standard output of a command that must succeed."""
        done = self.tried(*arguments, within=within)
        assert done.returncode == 0, f"docker {arguments[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether there is an engine behind the command. One that is elsewhere would not see this host's loopback."""
        done = self.tried("info", "--format", "{{.Name}}")
        return done.returncode == 0 and done.stdout.strip() == os.uname().nodename


@contextmanager
def own_engine() -> Iterator[Engine]:
    """Starts ``dockerd`` with a place of its own for everything, and ends it."""
    root = Path(tempfile.mkdtemp(prefix="waterflow-docker-"))  # short: the path of a socket has 108 bytes
    socket = f"unix://{root}/docker.sock"
    places = (f"--data-root={root}/data", f"--exec-root={root}/exec", f"--pidfile={root}/pid", f"--host={socket}")
    log = root / "log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["dockerd", *places, *_ALONE], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/"
            )
        try:
            engine = Engine({"DOCKER_HOST": socket})
            _wait(engine, process, log)
            yield engine
        finally:
            process.terminate()
            process.wait(120)
    finally:
        _unmount(root)
        shutil.rmtree(root, ignore_errors=True)


def _unmount(root: Path) -> None:
    """It leaves its network namespace mounted, by which nothing below could be removed."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed([place for place in places if place.startswith(f"{root}/")]):
        subprocess.run(["umount", "--lazy", place], check=False)


def _wait(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not engine.answers():
        told = log.read_text(errors="replace")[-3000:]
        assert process.poll() is None, f"dockerd ended with {process.returncode}:\n{told}"
        assert time.monotonic() < deadline, f"dockerd is not ready within {_READY_WITHIN:g} s:\n{told}"
        time.sleep(_POLL)
