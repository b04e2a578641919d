"""A plug-in directory, and a discovery that looks into it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from waterflow_agent._plugins import Discovery
from waterflow_agent._plugins._directory import plugin_units
from waterflow_agent._plugins._unit import Unit
from waterflow_agent._registry import NodeRegistry
from waterflow_sdk.testing import NodeResult, run_node

NODE = '''
from waterflow_sdk.node import Node

class Greet(Node):
    """Says a word."""
    name = "{name}"
    version = "{version}"
    async def execute(self, ctx, inputs):
        return {{"word": "{word}"}}
'''


class Plugins:
    """The plug-in directory ``root`` and what an agent makes of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = NodeRegistry()
        self.discovery = Discovery(self.registry, root)

    def write(self, path: str, text: str, *, executable: bool = False) -> Path:
        """A file, written beside its place and moved there."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_text(text)
        if executable:
            new.chmod(0o755)
        return new.replace(file)

    def node(self, path: str, name: str = "demo/greet", word: str = "hello", version: str = "1.0.0") -> Path:
        """A file with one node."""
        return self.write(path, NODE.format(name=name, word=word, version=version))

    def refresh(self) -> bool:
        """Looks once."""
        return asyncio.run(self.discovery.refresh())

    def run(self, name: str, inputs: dict[str, Any] | None = None, **options: Any) -> NodeResult:
        """One attempt of a node that was found."""
        found = self.registry.get(name)
        assert found is not None, [broken.reason for broken in self.registry.broken]
        return run_node(found.node, inputs, **options)

    def word(self, name: str = "demo/greet") -> object:
        """What the node says."""
        return self.run(name).outputs["word"]

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Source and reason of everything that is broken."""
        return [(broken.source, broken.reason) for broken in self.registry.broken]

    def unit(self, label: str) -> Unit:
        """What lies there, as the discovery sees it."""
        return next(unit for unit in plugin_units(self.root) if unit.label == label)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Watches, inside an event loop; the event is set when the offer has changed."""
        changed = asyncio.Event()

        async def tell() -> None:
            changed.set()

        task = asyncio.create_task(self.discovery.watch(tell))
        try:
            yield changed
        finally:
            task.cancel()


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    """An empty plug-in directory."""
    (tmp_path / "plugins").mkdir()
    return Plugins(tmp_path / "plugins")
