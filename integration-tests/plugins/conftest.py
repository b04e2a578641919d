"""A site whose agent has a plug-in directory and a place to which distributions are installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site

PACKS = Path(__file__).resolve().parents[2] / "examples" / "packs"


class Host:
    """The host of the agent ``web-01``, as its administrator sees it."""

    def __init__(self, site: Site, root: Path) -> None:
        self.site = site
        self.plugins = root / "plugins"
        self.plugins.mkdir()
        self._environment = root / "environment"
        venv.create(self._environment, with_pip=False)
        scheme = {"base": str(self._environment), "platbase": str(self._environment)}
        self.packages = Path(sysconfig.get_path("purelib", "venv", scheme))

    def drop(self, path: str, text: str) -> None:
        """A file in the plug-in directory, moved there whole."""
        new = self.plugins / ".new"
        new.write_text(text)
        (self.plugins / path).parent.mkdir(exist_ok=True)
        new.replace(self.plugins / path)

    def pip(self, *arguments: str) -> None:
        """pip of the environment that the agent's nodes are installed in."""
        # Python's own settings of the caller must not reach it.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        python = str(self._environment / "bin" / "python")
        words = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "-q", *arguments]
        subprocess.run(words, check=True, env=environ, timeout=300)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def host(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Host]:
    """One host, shared: each test has node names of its own."""
    root = tmp_path_factory.mktemp("site")
    async with Site.create(root) as site:
        made = Host(site, root)
        site.start_agent("web-01", PYTHONPATH=str(made.packages), PLUGIN_DIR=str(made.plugins))
        await site.until_online("web-01")
        yield made


@pytest.fixture(scope="session")
def checksum_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example pack in Python as a wheel."""
    folder = tmp_path_factory.mktemp("wheels")
    source = str(PACKS / "waterflow-checksum")
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), source]
    subprocess.run(words, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    return wheel
