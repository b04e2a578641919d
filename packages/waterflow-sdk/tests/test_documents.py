"""The Python of the README and of the guide for authors runs, its tests included."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "packages/waterflow-sdk/README.md", ROOT / "docs/node-authoring.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_examples(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    module = ModuleType("document")
    monkeypatch.setitem(sys.modules, "document", module)
    for block in blocks:
        exec(compile(block, str(document), "exec"), module.__dict__)
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_the_function_of_the_guide(tmp_path: Path) -> None:
    from waterflow_sdk.testing import run_node

    blocks = re.findall(r"```python\n(.*?)```", DOCUMENTS[1].read_text("utf-8"), re.DOTALL)
    module = ModuleType("document")
    exec(compile(blocks[-1], str(DOCUMENTS[1]), "exec"), module.__dict__)
    (tmp_path / "a").write_text("1\n2\n3\n")
    assert run_node(module.count, {"path": "a", "limit": 2}, workspace=tmp_path).outputs == {"lines": 2}
