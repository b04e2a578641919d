"""Who may import whom, read from the source of all six distributions."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from typing import Any

import pytest

from ._imports import Import, imports_of, load_closure, module_name
from ._workspace import DISTRIBUTIONS, PACKAGES, Distribution

TEST_ONLY = frozenset({"hypothesis", "pytest", "unittest", "_pytest"})
IMPURE = (
    *("asyncio", "http", "multiprocessing", "os", "random", "secrets", "select", "shutil", "socket", "subprocess"),
    *("tempfile", "threading", "time", "urllib.request", "uuid"),
)
"""Standard modules of files, processes, network, clock and chance, which the language package may not touch."""

PREFIXES = tuple(f"{module}." for module in IMPURE)

each_distribution = pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)


def project(distribution: Distribution) -> dict[str, Any]:
    with (distribution.folder / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def all_imports(distribution: Distribution) -> list[Import]:
    src = distribution.source.parent
    return [found for file in sorted(src.rglob("*.py")) for found in imports_of(file, src)]


def places(imports: list[Import]) -> list[str]:
    """Readable places for a failing assertion: `_client.py:7 imports aiohttp`."""
    return sorted({f"{found.file.relative_to(PACKAGES)}:{found.line} imports {found.module}" for found in imports})


def test_there_are_exactly_the_six_distributions() -> None:
    assert sorted(DISTRIBUTIONS) == sorted(folder.name for folder in PACKAGES.iterdir() if folder.is_dir())


@each_distribution
class TestImports:
    def test_only_what_the_architecture_allows(self, distribution: Distribution) -> None:
        ours = {DISTRIBUTIONS[sibling].package for sibling in distribution.siblings} | {distribution.package}
        allowed = sys.stdlib_module_names | ours | distribution.imports
        assert places([found for found in all_imports(distribution) if found.top not in allowed]) == []

    def test_nothing_that_only_tests_have(self, distribution: Distribution) -> None:
        assert places([found for found in all_imports(distribution) if found.top in TEST_ONLY]) == []

    def test_siblings_are_declared_and_no_others(self, distribution: Distribution) -> None:
        named = (re.match(r"[a-z-]+", requirement) for requirement in project(distribution)["dependencies"])
        ours = {match[0] for match in named if match and match[0].startswith("waterflow-")}
        assert ours == distribution.siblings


@each_distribution
class TestPublicSurface:
    def test_package_has_a_docstring(self, distribution: Distribution) -> None:
        tree = ast.parse((distribution.source / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(tree)

    def test_all_is_there_and_sorted(self, distribution: Distribution) -> None:
        names = declared_names(distribution)
        assert names == sorted(set(names), key=kind_and_name)

    def test_types_are_published(self, distribution: Distribution) -> None:
        assert (distribution.source / "py.typed").is_file()


def kind_and_name(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions: the order that ruff's RUF022 asks for."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def declared_names(distribution: Distribution) -> list[str]:
    """`__all__` of the package, read without importing it. A package used by entry points alone may have none in it."""
    tree = ast.parse((distribution.source / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if value is not None and any(isinstance(name, ast.Name) and name.id == "__all__" for name in targets):
            return ast.literal_eval(value)
    pytest.fail(f"{distribution.package} has no __all__")


class TestLanguageIsPure:
    def test_no_files_processes_network_clock_or_chance(self) -> None:
        imports = all_imports(DISTRIBUTIONS["waterflow-dsl"])
        assert places([found for found in imports if f"{found.module}.".startswith(PREFIXES)]) == []


class TestInterpreter:
    """`waterflow_server.engine` runs inside Temporal's workflow thread: small, replay-safe, and without the web."""

    SERVER = DISTRIBUTIONS["waterflow-server"]
    ALLOWED = frozenset({"msgspec", "temporalio", "waterflow_dsl", "waterflow_sdk"})

    def engine_imports(self) -> list[Import]:
        engine = self.SERVER.source / "engine"
        return [found for found in all_imports(self.SERVER) if found.file.is_relative_to(engine)]

    def test_imports_temporal_the_language_and_the_wire(self) -> None:
        allowed = sys.stdlib_module_names | self.ALLOWED | {self.SERVER.package}
        assert places([found for found in self.engine_imports() if found.top not in allowed]) == []

    def test_never_loads_the_web_framework(self) -> None:
        loads: dict[str, frozenset[str]] = {}
        src = self.SERVER.source.parent
        for file in src.rglob("*.py"):
            loads[module_name(file, src)] = frozenset(found.module for found in imports_of(file, src) if found.at_load)
        loaded = {module.partition(".")[0] for module in load_closure("waterflow_server.engine", loads)}
        assert loaded & {"litestar", "uvicorn"} == set()

    def test_never_reaches_up_to_the_api(self) -> None:
        upwards = [found for found in self.engine_imports() if found.module.startswith("waterflow_server.api")]
        assert places(upwards) == []
