"""All six distributions as wheels: what is in them, and that each works when it is installed alone.

Own wheels are taken from the build, everything else from the package index, as a user's `pip install` does.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ._workspace import DISTRIBUTIONS, Distribution

pytestmark = pytest.mark.slow

each_distribution = pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)

LOAD_ENTRY_POINTS = """
import importlib.metadata, json, sys
loaded = {}
for entry in importlib.metadata.distribution(sys.argv[1]).entry_points:
    entry.load()
    loaded.setdefault(entry.group, []).append(entry.name)
print(json.dumps(loaded))
"""

LOADED_BY_IMPORT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

INSTALLED = """
import importlib.metadata, json
names = [distribution.metadata["Name"] for distribution in importlib.metadata.distributions()]
print(json.dumps(sorted(name for name in names if name.startswith("waterflow"))))
"""


def execute(*command: str | Path, cwd: Path | None = None) -> str:
    """Standard output of a program that must succeed; its standard error is shown when it does not."""
    # The caller's environment for pytest and Python must not reach the fresh one.
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHON", "VIRTUAL_ENV"))
    }
    ended = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@dataclasses.dataclass(frozen=True, kw_only=True)
class Installed:
    """A fresh virtual environment with one distribution in it."""

    bin: Path

    def python(self, source: str, *arguments: str) -> str:
        return execute(self.bin / "python", "-W", "error", "-c", source, *arguments)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, built from the source tree."""
    return {name: build(distribution, tmp_path_factory.mktemp(name)) for name, distribution in DISTRIBUTIONS.items()}


def build(distribution: Distribution, target: Path) -> Path:
    execute(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=distribution.folder)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def install(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """`install(name)`: that distribution alone in a fresh environment, made once for all tests."""
    made: dict[str, Installed] = {}

    def install(name: str) -> Installed:
        if name not in made:
            made[name] = install_alone(name, wheels, tmp_path_factory.mktemp(f"venv-{name}"))
        return made[name]

    return install


def install_alone(name: str, wheels: dict[str, Path], folder: Path) -> Installed:
    uv = Path(sys.executable).with_name("uv")
    # Our names resolve to our wheels and nothing else, whatever an index may offer under them.
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{own} @ {wheel.as_uri()}\n" for own, wheel in wheels.items()), encoding="utf-8")
    venv = folder / "venv"
    execute(uv, "venv", "--quiet", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    execute(uv, "pip", "install", "--quiet", "--python", python, "--constraints", constraints, wheels[name])
    return Installed(bin=venv / "bin")


@each_distribution
class TestContents:
    def test_holds_the_package_and_its_metadata_only(self, distribution: Distribution, wheels: dict[str, Path]) -> None:
        info = f"{distribution.package}-{version(distribution)}.dist-info"
        tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheels[distribution.name]).namelist()}
        assert tops == {distribution.package, info}

    def test_holds_every_file_of_the_source(self, distribution: Distribution, wheels: dict[str, Path]) -> None:
        files = (
            file.relative_to(distribution.source.parent) for file in distribution.source.rglob("*") if file.is_file()
        )
        expected = {file.as_posix() for file in files if not any(map(is_cache, file.parts))}
        names = zipfile.ZipFile(wheels[distribution.name]).namelist()
        assert {name for name in names if not name.partition("/")[0].endswith(".dist-info")} == expected

    def test_publishes_its_types(self, distribution: Distribution, wheels: dict[str, Path]) -> None:
        assert f"{distribution.package}/py.typed" in zipfile.ZipFile(wheels[distribution.name]).namelist()


def is_cache(part: str) -> bool:
    return part == "__pycache__" or part.startswith(".")


def version(distribution: Distribution) -> str:
    return tomllib.loads((distribution.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@each_distribution
class TestInstalledAlone:
    def test_brings_only_the_siblings_it_declares(
        self, distribution: Distribution, install: Callable[[str], Installed]
    ) -> None:
        assert json.loads(install(distribution.name).python(INSTALLED)) == sorted(distribution.installed_with)

    def test_imports_without_what_it_needs_only_now_and_then(
        self, distribution: Distribution, install: Callable[[str], Installed]
    ) -> None:
        loaded = json.loads(install(distribution.name).python(LOADED_BY_IMPORT, distribution.package))
        assert distribution.package in loaded
        assert distribution.lazy.intersection(loaded) == set()

    def test_every_public_name_is_there(self, distribution: Distribution, install: Callable[[str], Installed]) -> None:
        source = f"import {distribution.package} as p; print([n for n in p.__all__ if getattr(p, n, None) is None])"
        assert install(distribution.name).python(source) == "[]\n"

    def test_every_entry_point_loads(self, distribution: Distribution, install: Callable[[str], Installed]) -> None:
        loaded = json.loads(install(distribution.name).python(LOAD_ENTRY_POINTS, distribution.name))
        assert {group: sorted(names) for group, names in loaded.items()} == declared_entry_points(distribution)


def declared_entry_points(distribution: Distribution) -> dict[str, list[str]]:
    project = tomllib.loads((distribution.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    return {group: sorted(names) for group, names in groups.items() if names}


class TestCommands:
    def test_waterflow_says_its_version(self, install: Callable[[str], Installed]) -> None:
        said = execute(install("waterflow-cli").bin / "waterflow", "--version")
        assert said == f"waterflow {version(DISTRIBUTIONS['waterflow-cli'])}\n"

    def test_waterflow_agent_explains_itself(self, install: Callable[[str], Installed]) -> None:
        said = execute(install("waterflow-agent").bin / "waterflow-agent", "--help")
        assert "waterflow-agent" in said
