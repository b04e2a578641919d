"""Agents in containers at a site: run as `compose.yaml` says, each with a volume that outlives its containers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import Site

from ._compose import arguments
from ._engine import Engine
from ._image import Image

USER = 10001
SHARED = "/shared"
"""Where a folder of the test is in every container."""


class Contained:
    """``shared`` is the folder that tests and steps both see, ``plugins`` the agents' plug-in directory."""

    def __init__(self, image: Image, site: Site, root: Path, service: Mapping[str, Any]) -> None:
        self.site = site
        self.shared, self.plugins = root / "shared", root / "plugins"
        self._image, self._service = image, service
        self._config = root / "config"
        self._containers: list[str] = []
        self._volumes: set[str] = set()
        for folder in (self.shared, self.plugins, self._config):
            folder.mkdir()
            os.chown(folder, USER, USER)
        keys = shutil.copy(site.root / "keys.json", self._config)
        os.chown(keys, USER, USER)

    def start(self, name: str, *options: str, **environ: str) -> Container:
        """Starts an agent in the group of its name, in a new container; the same name has the same volume again.

        ``options`` are further ones of ``docker run``.
        """
        volume = f"waterflow-test-{os.getpid()}-{name}"
        own = {
            "WATERFLOW_AGENT_NAME": name,
            "WATERFLOW_GROUPS": name,
            "WATERFLOW_TEMPORAL_ADDRESS": self.site.temporal.address,
            "WATERFLOW_SERVER": f"127.0.0.1:{self.site.port}",
        }
        sources = {
            "/var/lib/waterflow": volume,
            "/etc/waterflow": self._config,
            "/opt/waterflow/plugins": self.plugins,
        }
        words = arguments(self._service, own | environ, sources)
        where = ("--network=host", f"--volume={self.shared}:{SHARED}")
        made = self._image.engine.run("run", "--detach", *where, *words, *options, self._image.name)
        self._containers.append(made)
        self._volumes.add(volume)
        return Container(self._image.engine, made)

    def end(self) -> None:
        """Removes all of them."""
        for what, names in (("rm", self._containers), ("volume", sorted(self._volumes))):
            if names:
                words = ("rm", "--force", "--volumes") if what == "rm" else ("volume", "rm", "--force")
                self._image.engine.run(*words, *names)


@dataclass(frozen=True)
class Container:
    """One container, while it runs and after."""

    engine: Engine
    id: str

    def shell(self, script: str) -> str:
        """Runs a script in the container, beside the agent."""
        return self.engine.run("exec", self.id, "sh", "-c", script)

    def stop(self) -> int:
        """``docker stop``, as patient as the container says; the exit code of the agent."""
        self.engine.run("stop", self.id)
        return int(self.engine.run("wait", self.id))

    def kill(self) -> None:
        """``docker kill``: the end of all processes in it, at once."""
        self.engine.run("kill", self.id)
        self.engine.run("wait", self.id)

    def log(self) -> str:
        """What the agent has said."""
        done: subprocess.CompletedProcess[str] = self.engine.tried("logs", self.id)
        return done.stdout + done.stderr
