"""The image, built as the documentation says, but without network and with keys lying beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._engine import Engine

CANARY = "zx81-for-nobody-to-see"
"""Stands in files of the build context that have no business in an image."""

_NAME = "waterflow-test-agent"
_VERSION_OF_BASE = 'import sys; print("{}.{}".format(*sys.version_info))'


@dataclass(frozen=True)
class Image:
    """What was built, and on what."""

    engine: Engine
    name: str
    base: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A container of it that is removed when it has ended; arguments begin with options of ``docker run``."""
        return self.engine.tried("run", "--rm", "--network=none", *arguments)

    def inspect(self) -> dict[str, Any]:
        """What the engine knows of it."""
        (found,) = json.loads(self.engine.run("image", "inspect", self.name))
        return found

    @property
    def added(self) -> int:
        """Bytes that it has beyond its base."""
        own, base = (
            int(self.engine.run("image", "inspect", "--format={{.Size}}", it)) for it in (self.name, self.base)
        )
        return own - base


def build(engine: Engine, base: str, source: Path, context: Path) -> Image:
    """From ``deployments/container``, in an empty folder."""
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(source / name, context)
    _fill_wheels(source / "wheels.sh", engine.run("run", "--rm", base, "python3", "-c", _VERSION_OF_BASE), context)
    for name in ("keys.json", "agent.yaml", "wheels/pip.conf"):
        (context / name).write_text(CANARY)
    engine.run("build", "--network=none", f"--build-arg=BASE={base}", f"--tag={_NAME}", context)
    return Image(engine, _NAME, base)


def _fill_wheels(script: Path, version: str, context: Path) -> None:
    environ = {**os.environ, "PYTHON": sys.executable}
    command = [script, version, context / "wheels"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
