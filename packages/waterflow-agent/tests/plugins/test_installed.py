"""Distributions that are installed, replaced and removed while the agent runs."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from waterflow_agent._plugins import Discovery, InstalledPacks
from waterflow_agent._registry import NodeRegistry
from waterflow_sdk.testing import run_node

PACKAGE = '''
from waterflow_sdk.node import Node
from ._words import WORD

class Greet(Node):
    """Says a word."""
    name = "demo/greet"
    version = "{version}"
    async def execute(self, ctx, inputs):
        return {{"word": WORD}}
'''


class Site:
    """A ``site-packages`` with at most one distribution."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = NodeRegistry()
        self.discovery = Discovery(self.registry, installed=InstalledPacks([str(root)]))

    def install(self, version: str, word: str, source: str = PACKAGE) -> None:
        """As pip does: the former version goes first, the code comes before the metadata, RECORD last."""
        self.uninstall()
        package = self.root / "waterflow_demo"
        package.mkdir()
        (package / "__init__.py").write_text(source.format(version=version))
        (package / "_words.py").write_text(f"WORD = {word!r}\n")
        metadata = self.root / f"waterflow_demo-{version}.dist-info"
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text("[waterflow.nodes]\ngreet = waterflow_demo:Greet\n")
        (metadata / "RECORD").write_text("waterflow_demo/__init__.py,,\nwaterflow_demo/_words.py,,\n")

    def uninstall(self) -> None:
        """All of it."""
        for folder in self.root.glob("waterflow_demo*"):
            shutil.rmtree(folder)

    def refresh(self) -> bool:
        """Looks once."""
        return asyncio.run(self.discovery.refresh())

    @property
    def found(self) -> tuple[str, object]:
        """Where the node comes from and what it says."""
        node = self.registry.get("demo/greet")
        assert node is not None
        return node.source, run_node(node.node).outputs["word"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Nothing is installed yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    # Files of the same size and second would be taken from the cache of compiled files, which pip removes.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Site(tmp_path)
    for name in [name for name in sys.modules if name.startswith("waterflow_demo")]:
        del sys.modules[name]


class TestLife:
    def test_installed_replaced_and_removed(self, site: Site) -> None:
        assert not site.refresh()
        site.install("1.0.0", "old")
        assert site.refresh()
        assert site.found == ("waterflow-demo 1.0.0", "old")
        site.install("2.0.0", "new")
        assert site.refresh()
        assert site.found == ("waterflow-demo 2.0.0", "new")
        site.uninstall()
        assert site.refresh()
        assert site.registry.names == []
        assert [name for name in sys.modules if name.startswith("waterflow_demo")] == []

    def test_nothing_is_loaded_again_while_nothing_changes(self, site: Site) -> None:
        site.install("1.0.0", "old")
        site.refresh()
        module = sys.modules["waterflow_demo"]
        assert not site.discovery.differs()
        assert not site.refresh()
        assert sys.modules["waterflow_demo"] is module

    def test_a_broken_new_version_leaves_the_old_one_whole(self, site: Site) -> None:
        site.install("1.0.0", "old")
        site.refresh()
        site.install("2.0.0", "new", PACKAGE + "raise RuntimeError('no')\n")
        assert site.refresh()
        assert site.found == ("waterflow-demo 1.0.0", "old")
        assert [(each.source, each.reason) for each in site.registry.broken] == [
            ("waterflow-demo 2.0.0", "RuntimeError: no")
        ]
        assert sys.modules["waterflow_demo"].Greet.version == "1.0.0"
        site.install("2.0.1", "right")
        assert site.refresh()
        assert site.found == ("waterflow-demo 2.0.1", "right")
        assert site.registry.broken == []

    def test_a_step_that_runs_ends_with_the_old_code(self, site: Site) -> None:
        site.install("1.0.0", "old")
        site.refresh()
        held = site.registry.get("demo/greet")
        assert held is not None
        site.install("2.0.0", "new")
        site.refresh()
        assert run_node(held.node).outputs == {"word": "old"}
