"""The package's border: its entry points, conformance and examples of every node, imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

import waterflow_nodes_core
from waterflow_sdk.node import load_inputs, node_class
from waterflow_sdk.testing import assert_conforms, run_node
from waterflow_sdk.wire import NodeExample

SOURCE = Path(waterflow_nodes_core.__file__).parent
ALLOWED = {"msgspec", "waterflow_sdk"}
LAZY = {"aiohttp"}
NODES = sorted(
    (entry for entry in entry_points(group="waterflow.nodes") if entry.module.startswith("waterflow_nodes_core.")),
    key=lambda entry: entry.name,
)
EXAMPLES = [
    pytest.param(entry, example, id=f"{entry.name}: {example.title}")
    for entry in NODES
    for example in node_class(entry.load()).examples
]
RUNNABLE = [
    param for param in EXAMPLES if "example.org" not in param.values[1].yaml and "localhost" not in param.values[1].yaml
]


def step(example: NodeExample) -> tuple[dict[str, Any], dict[str, str]]:
    """Inputs and environment of the example's step, as the language makes them of it."""
    (parsed,) = yaml.safe_load(example.yaml)
    inputs = {"run": parsed["run"]} if "run" in parsed else parsed["with"]
    return inputs, parsed.get("env", {})


class TestNodes:
    def test_names(self) -> None:
        assert [entry.name for entry in NODES] == ["env/set", "file/read", "file/write", "http/request", "shell"]

    @pytest.mark.parametrize("entry", NODES, ids=lambda entry: entry.name)
    def test_conformance(self, entry: EntryPoint) -> None:
        assert assert_conforms(entry.load()).name == entry.name

    @pytest.mark.parametrize(("entry", "example"), EXAMPLES)
    def test_examples_are_valid(self, entry: EntryPoint, example: NodeExample) -> None:
        load_inputs(node_class(entry.load()), step(example)[0])

    @pytest.mark.parametrize(("entry", "example"), RUNNABLE)
    def test_examples_run(self, entry: EntryPoint, example: NodeExample, tmp_path: Path) -> None:
        (tmp_path / "logo.png").write_bytes(b"\x89PNG")
        inputs, env = step(example)
        assert run_node(entry.load(), inputs, env=env, workspace=tmp_path).error is None


class TestBorder:
    def test_public_names(self) -> None:
        assert waterflow_nodes_core.__doc__
        assert waterflow_nodes_core.__all__ == []

    def test_only_allowed_imports(self) -> None:
        for file in SOURCE.rglob("*.py"):
            tree = ast.parse(file.read_text("utf-8"))
            top = {id(node) for node in tree.body}
            for node in ast.walk(tree):
                for name in _imported(node):
                    allowed = ALLOWED if id(node) in top else ALLOWED | LAZY
                    assert name in allowed or name in sys.stdlib_module_names, f"{file}:{node.lineno} imports {name}"

    def test_loading_all_nodes_stays_light(self) -> None:
        modules = ", ".join(entry.module for entry in NODES)
        script = f"import sys, {modules}; print([m for m in ('aiohttp', 'yaml') if m in sys.modules])"
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert shown.stdout == "[]\n"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").partition(".")[0]]
    return []
