"""Who may import whom inside the server, read from its source: api → services → engine | stores, never back."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import waterflow_server

SOURCE = Path(waterflow_server.__file__).parent
EVERYWHERE = frozenset({"msgspec", "waterflow_dsl", "waterflow_sdk"})
OUTSIDE = EVERYWHERE | {"google", "litestar", "opentelemetry", "temporalio", "uvicorn", "yaml"}
"""What the distribution may import from outside the standard library."""


def imports_of(file: Path) -> set[str]:
    """Absolute names of the modules that a file imports, wherever in it."""
    package = ["waterflow_server", *file.relative_to(SOURCE).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} if node.module else {f"{module}.{alias.name}" for alias in node.names}
    return found


def imports_below(*places: str) -> dict[str, set[str]]:
    """The imports of modules and packages, by file."""
    files = [file for place in places for file in _files(place)]
    return {str(file.relative_to(SOURCE)): imports_of(file) for file in files}


def _files(place: str) -> list[Path]:
    files = sorted((SOURCE / place).rglob("*.py")) or [SOURCE / f"{place.removesuffix('.py')}.py"]
    assert all(file.is_file() for file in files)
    return files


def offenders(imports: dict[str, set[str]], *forbidden: str) -> list[str]:
    """Who imports a forbidden module or what is below it; ``package.*`` forbids only what is below."""
    return sorted(
        f"{file} imports {module}"
        for file, modules in imports.items()
        for module in modules
        if any(module == name or module.startswith(f"{name.removesuffix('.*')}.") for name in forbidden)
    )


class TestOutside:
    def test_nothing_but_what_is_allowed(self) -> None:
        allowed = sys.stdlib_module_names | OUTSIDE | {"waterflow_server"}
        everything = imports_below(".")
        strange = [
            f"{file} imports {module}"
            for file, modules in everything.items()
            for module in modules
            if module.partition(".")[0] not in allowed
        ]
        assert strange == []


class TestLayers:
    @pytest.mark.parametrize(
        ("places", "forbidden"),
        [
            (("concurrency", "engine", "presence"), ("litestar", "uvicorn", "yaml")),
            (("concurrency",), ("waterflow_server.engine", "waterflow_server.runs", "waterflow_server.api")),
            (
                ("engine", "presence"),
                ("waterflow_server.api", "waterflow_server.app", "waterflow_server.logs", "waterflow_server.runs"),
            ),
            (
                ("documents",),
                ("litestar", "waterflow_server.presence", "waterflow_server.engine", "waterflow_server.runs"),
            ),
            (
                ("auth",),
                ("litestar", "waterflow_server.api", "waterflow_server.engine", "waterflow_server.presence"),
            ),
            (
                ("inquiry",),
                ("litestar", "waterflow_server.engine", "waterflow_server.presence", "waterflow_server.runs"),
            ),
            (("definitions",), ("waterflow_server.schedules",)),
            (("logs",), ("litestar", "uvicorn", "temporalio", "waterflow_server.api", "waterflow_server.engine")),
            (("logs",), ("waterflow_server.runs", "waterflow_server.catalog", "waterflow_server.submissions")),
            (
                ("definitions", "schedules", "runs", "catalog.py", "submissions.py", "_readiness.py", "_inputs.py"),
                ("litestar", "uvicorn", "waterflow_server.api", "waterflow_server.app", "waterflow_server._process"),
            ),
            (
                ("api",),
                ("uvicorn", "waterflow_server.engine.*", "waterflow_server.presence", "waterflow_server.settings"),
            ),
            (("settings.py", "_settings_table.py", "_settings_file.py"), ("litestar", "uvicorn", "temporalio")),
        ],
        ids=[
            "no-web",
            "concurrency",
            "engine",
            "documents",
            "auth",
            "inquiry",
            "definitions",
            "logs",
            "logs-services",
            "services",
            "api",
            "settings",
        ],
    )
    def test_nobody_reaches_up(self, places: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
        assert offenders(imports_below(*places), *forbidden) == []


class TestRoomsOfTheEngine:
    """Each needs only those before it, so that there is no circle and each can be read with what is above it."""

    ORDER = ("signals", "expansion", "memory", "calls", "nodes", "steps", "job", "fanout", "run")
    AT_THE_DOOR = frozenset({"__init__.py", "_support.py", "worker.py"})
    """Modules beside the rooms that put them together; whatever else is there, rooms need, and never the other way."""

    def test_are_all_in_the_order(self) -> None:
        rooms = {file.parent.name for file in (SOURCE / "engine").glob("*/__init__.py")}
        assert rooms == set(self.ORDER)

    @pytest.mark.parametrize("room", ORDER)
    def test_need_only_those_before_them(self, room: str) -> None:
        later = [f"waterflow_server.engine.{name}" for name in self.ORDER[self.ORDER.index(room) + 1 :]]
        assert offenders(imports_below(f"engine/{room}"), *later, "waterflow_server.engine.worker") == []

    @pytest.mark.parametrize("room", ORDER)
    def test_say_what_happens_there(self, room: str) -> None:
        assert ast.get_docstring(ast.parse((SOURCE / "engine" / room / "__init__.py").read_text(encoding="utf-8")))

    def test_stand_on_what_is_beside_them(self) -> None:
        beside = [file for file in (SOURCE / "engine").glob("*.py") if file.name not in self.AT_THE_DOOR]
        imports = {file.name: imports_of(file) for file in beside}
        assert offenders(imports, *(f"waterflow_server.engine.{room}" for room in self.ORDER)) == []


class TestPublic:
    def test_the_names(self) -> None:
        assert waterflow_server.__all__ == ["ServerError", "Services", "Settings", "create_app", "load_settings"]
        assert all(getattr(waterflow_server, name) is not None for name in waterflow_server.__all__)

    def test_any_other_name_is_none(self) -> None:
        with pytest.raises(AttributeError, match="module 'waterflow_server' has no attribute 'nope'"):
            _ = waterflow_server.nope

    @pytest.mark.parametrize(
        "module", ["waterflow_server", "waterflow_server.commands", "waterflow_server.engine.worker"]
    )
    def test_importing_it_loads_no_web_framework(self, module: str) -> None:
        code = f"import sys, {module}; sys.stdout.write(str({{'litestar', 'uvicorn'}} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "set()"
