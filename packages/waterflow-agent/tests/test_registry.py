"""Nodes of installed distributions: what is found, and what is broken or in conflict."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from waterflow_agent._entry_points import EntryPoint, entry_points
from waterflow_agent._errors import NodeConflict
from waterflow_agent._plugins import GROUP, Discovery, InstalledPacks
from waterflow_agent._registry import NodeRegistry
from waterflow_sdk.node import Node

NODE = """
from waterflow_sdk.node import Node

class Greet(Node):
    \"\"\"Says hello.\"\"\"
    name = "greet/{name}"
    version = "1.0.0"
    async def execute(self, ctx, inputs):
        return {{}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An import path with nothing on it yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, distribution: str, module: str, source: str, *points: str) -> None:
    """Puts a distribution with entry points onto the path."""
    (site / f"{module}.py").write_text(source)
    metadata = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    lines = "\n".join(points)
    (metadata / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[{GROUP}]\n{lines}\n")


def loaded(site: Path) -> NodeRegistry:
    registry = NodeRegistry()
    asyncio.run(Discovery(registry, installed=InstalledPacks([str(site)])).refresh())
    return registry


class TestEntryPoints:
    def test_of_one_group_by_distribution_and_name(self, site: Path) -> None:
        install(site, "pack-b", "b", "", "b = b:B")
        install(site, "pack-a", "a", "", "# a comment", "z = a:Z [extra]", "c=a:C")
        first, second = site / "pack_a-1.0.dist-info", site / "pack_b-1.0.dist-info"
        assert entry_points(GROUP, [str(site)]) == [
            EntryPoint("c", "a:C", "pack-a 1.0", first),
            EntryPoint("z", "a:Z", "pack-a 1.0", first),
            EntryPoint("b", "b:B", "pack-b 1.0", second),
        ]

    def test_places_that_are_not_there_are_skipped(self, tmp_path: Path) -> None:
        assert entry_points(GROUP, [str(tmp_path / "nowhere"), str(tmp_path / "archive.zip")]) == []

    def test_the_first_of_two_copies_counts(self, tmp_path: Path) -> None:
        for place in ("first", "second"):
            (tmp_path / place).mkdir()
            install(tmp_path / place, "pack", "m", "", f"n = {place}:N")
        found = entry_points(GROUP, [str(tmp_path / "first"), str(tmp_path / "second")])
        assert [point.value for point in found] == ["first:N"]


class TestInstalled:
    def test_nodes_are_found_with_their_distribution(self, site: Path) -> None:
        install(site, "waterflow-greet", "greet", NODE.format(name="one"), "greet = greet:Greet")
        registry = loaded(site)
        found = registry.get("greet/one")
        assert found is not None
        assert found.manifest.distribution == "waterflow-greet 1.0"
        assert registry.digests == {"greet/one": found.digest}
        assert registry.manifests([found.digest, "another"]) == [found.manifest]

    @pytest.mark.parametrize(
        ("source", "point", "reason"),
        [
            ("raise RuntimeError('no')", "n = m:N", "RuntimeError: no"),
            ("raise SystemExit(3)", "n = m:N", "SystemExit: 3"),
            ("", "n = m:N", "AttributeError: module 'm' has no attribute 'N'"),
            ("", "n = missing:N", "ModuleNotFoundError: No module named 'missing'"),
            ("x = 1 +", "n = m:N", "SyntaxError: invalid syntax (m.py, line 1)"),
            (
                "N = 3",
                "n = m:N",
                "InvalidNode: 3: it is neither a subclass of Node nor a function decorated with @node",
            ),
        ],
    )
    def test_a_broken_one_is_reported_and_harms_no_other(
        self, site: Path, source: str, point: str, reason: str
    ) -> None:
        install(site, "pack-broken", "m", source, point)
        install(site, "waterflow-greet", "greet", NODE.format(name="one"), "greet = greet:Greet")
        registry = loaded(site)
        assert registry.names == ["greet/one"]
        assert [(broken.source, broken.reason) for broken in registry.broken] == [("pack-broken 1.0", reason)]

    def test_a_name_that_two_packs_claim_is_given_to_none(self, site: Path) -> None:
        install(site, "pack-a", "a", NODE.format(name="one"), "greet = a:Greet")
        install(site, "pack-b", "b", NODE.format(name="one"), "greet = b:Greet")
        registry = loaded(site)
        assert "greet/one" not in registry
        assert [broken.reason for broken in registry.broken] == [
            "node 'greet/one' is claimed by pack-a 1.0 and by pack-b 1.0; neither is used: remove one"
        ]


class TestGiven:
    def test_by_the_application(self) -> None:
        class Mine(Node):
            """Mine."""

            name = "mine"
            version = "1.0.0"

            def execute(self, ctx: Any, inputs: Any) -> None:
                """Nothing."""

        class Other(Mine):
            """Another of that name."""

        registry = NodeRegistry()
        registry.add(Mine, "application")
        registry.add(Mine, "application")
        with pytest.raises(NodeConflict) as raised:
            registry.add(Other, "pack 1.0")
        assert (
            raised.value.message == "node 'mine' is claimed by application and by pack 1.0; neither is used: remove one"
        )
