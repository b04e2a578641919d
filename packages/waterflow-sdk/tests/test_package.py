"""The package's border: public names, allowed imports, and how little an import loads."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import waterflow_sdk

SOURCE = Path(waterflow_sdk.__file__).parent
PACKAGES = [
    "waterflow_sdk",
    "waterflow_sdk.client",
    "waterflow_sdk.node",
    "waterflow_sdk.secrets",
    "waterflow_sdk.testing",
    "waterflow_sdk.wire",
]
ALLOWED = {"msgspec"}
LAZY = {"aiohttp", "cryptography", "yarl"}  # yarl: the URL type in the interface of aiohttp


class TestPublicNames:
    @pytest.mark.parametrize("name", PACKAGES)
    def test_sorted_documented_and_there(self, name: str) -> None:
        package = importlib.import_module(name)
        assert package.__doc__
        assert package.__all__ == sorted(package.__all__, key=_order)
        for public in package.__all__:
            assert getattr(package, public) is not None

    def test_an_unknown_name(self) -> None:
        with pytest.raises(AttributeError, match=r"^module 'waterflow_sdk' has no attribute 'Nothing'$"):
            _ = waterflow_sdk.Nothing

    def test_dir_shows_what_is_loaded_later(self) -> None:
        assert {"AsyncClient", "Node"} <= set(dir(waterflow_sdk))


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions: as ruff sorts ``__all__``."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


class TestImports:
    def test_only_what_is_allowed(self) -> None:
        for file in SOURCE.rglob("*.py"):
            tree = ast.parse(file.read_text("utf-8"))
            top = {id(node) for node in tree.body}
            for node in ast.walk(tree):
                for name in _imported(node):
                    allowed = ALLOWED if id(node) in top else ALLOWED | LAZY
                    assert name in allowed or name in sys.stdlib_module_names, f"{file}:{node.lineno} imports {name}"

    @pytest.mark.parametrize(
        "name", ["waterflow_sdk", "waterflow_sdk.node", "waterflow_sdk.wire", "waterflow_sdk.codec"]
    )
    def test_an_import_stays_light(self, name: str) -> None:
        heavy = (
            "aiohttp",
            "cryptography",
            "asyncio",
            "subprocess",
            "ssl",
            "waterflow_sdk.client",
            "waterflow_sdk.testing",
        )
        script = f"import sys, {name}; print([m for m in {heavy!r} if m in sys.modules])"
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert shown.stdout == "[]\n"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").partition(".")[0]]
    return []
