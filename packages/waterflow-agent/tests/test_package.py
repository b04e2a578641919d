"""The package's border: public names, allowed imports, and how little an import loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import waterflow_agent

SOURCE = Path(waterflow_agent.__file__).parent
ALLOWED = {"waterflow_sdk", "temporalio", "msgspec"}
LAZY = {"yaml"}


class TestPublicNames:
    def test_sorted_documented_and_there(self) -> None:
        assert waterflow_agent.__doc__
        assert waterflow_agent.__all__ == sorted(waterflow_agent.__all__)
        for name in waterflow_agent.__all__:
            assert getattr(waterflow_agent, name).__doc__

    def test_an_unknown_name(self) -> None:
        with pytest.raises(AttributeError, match=r"^module 'waterflow_agent' has no attribute 'Nothing'$"):
            _ = waterflow_agent.Nothing


class TestImports:
    def test_only_what_is_allowed(self) -> None:
        for path in SOURCE.rglob("*.py"):
            for name, top_level in _imports(path):
                standard = name in sys.stdlib_module_names
                assert standard or name in ALLOWED or (name in LAZY and not top_level), f"{path.name} imports {name}"

    @pytest.mark.parametrize("module", ["waterflow_agent", "waterflow_agent.commands"])
    def test_the_temporal_sdk_is_not_loaded_before_an_agent_runs(self, module: str) -> None:
        code = f"import sys, {module}; print(sorted({{'temporalio', 'yaml', 'asyncio'}} & set(sys.modules)))"
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


class TestIdleMemory:
    def test_modules_that_an_agent_does_not_need_are_not_loaded(self) -> None:
        heavy = {
            "aiohttp",
            "yaml",
            "jsonschema",
            "litestar",
            "opentelemetry",
            "importlib.metadata",
            "email",
            "argparse",
        }
        code = f"import sys, waterflow_agent._main; print(sorted({heavy!r} & set(sys.modules)))"
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def _imports(path: Path) -> list[tuple[str, bool]]:
    tree = ast.parse(path.read_text())
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        found += [(name.partition(".")[0], node in tree.body) for name in names]
    return found
