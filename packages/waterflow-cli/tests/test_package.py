"""The package itself: public names, what it may import, and the reference that is made from it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import waterflow_cli
from waterflow_cli._reference import reference

SOURCE = Path(waterflow_cli.__file__).parent
REPOSITORY = Path(__file__).parents[3]
ALLOWED = {"click", "msgspec", "rich", "waterflow_cli", "waterflow_dsl", "waterflow_sdk"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


class TestPackage:
    def test_public_names(self) -> None:
        assert waterflow_cli.__all__ == ["ExitCode", "main"]

    @pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
    def test_only_allowed_imports(self, path: Path) -> None:
        assert set(imports(path)) - ALLOWED - set(sys.stdlib_module_names) == set()


class TestReference:
    def test_it_is_what_the_commands_say(self) -> None:
        path = REPOSITORY / "docs" / "reference" / "cli.md"
        if not path.exists():
            pytest.skip("the tests run outside of the repository")
        assert path.read_text(encoding="utf-8") == reference(), "run python -m waterflow_cli._reference"
