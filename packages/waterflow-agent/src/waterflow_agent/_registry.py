"""The nodes of this agent: found by entry points, or given by the application that embeds it."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable

import msgspec

from waterflow_sdk.node import Node, manifest_of, node_class
from waterflow_sdk.wire import NodeManifest

from ._entry_points import EntryPoint, entry_points
from ._errors import NodeConflict

GROUP = "waterflow.nodes"
"""Entry-point group of node packs."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A node that can run here, and where it comes from."""

    node: type[Node]
    manifest: NodeManifest
    digest: str
    source: str


class BrokenNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node that cannot run here: ``reason`` in one line, and the traceback for its author."""

    name: str
    source: str
    reason: str
    traceback: str = ""


class NodeRegistry:
    """Nodes by name. Whatever is wrong with one of them is kept in ``broken`` and harms no other."""

    def __init__(self) -> None:
        self._nodes: dict[str, Registered] = {}
        self.broken: list[BrokenNode] = []

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def get(self, name: str) -> Registered | None:
        """The node of that name."""
        return self._nodes.get(name)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._nodes)

    @property
    def digests(self) -> dict[str, str]:
        """Manifest digests by node name."""
        return {name: self._nodes[name].digest for name in self.names}

    def manifests(self, digests: Iterable[str]) -> list[NodeManifest]:
        """The manifests behind some digests; those that are not here any more are left out."""
        by_digest = {found.digest: found.manifest for found in self._nodes.values()}
        return [by_digest[digest] for digest in digests if digest in by_digest]

    def add(self, value: object, source: str) -> Registered:
        """Registers a node class or a decorated function.

        Raises InvalidNode for something else, and NodeConflict when another source has claimed the name.
        """
        node = node_class(value)
        manifest = manifest_of(node, distribution=source)
        taken = self._nodes.get(manifest.name)
        if taken and taken.node is not node:
            raise NodeConflict(
                f"node {manifest.name!r} is claimed by {taken.source} and by {source}; neither is used: remove one",
                {"node": manifest.name, "sources": sorted((taken.source, source))},
            )
        found = Registered(node=node, manifest=manifest, digest=manifest.digest, source=source)
        self._nodes[manifest.name] = found
        return found

    def load_installed(self, path: list[str] | None = None) -> None:
        """Registers the nodes of all installed distributions. A pack that does not load is reported and left out."""
        refused: set[str] = set()
        for point in entry_points(GROUP, path):
            try:
                self.add(_load(point), point.distribution)
            except NodeConflict as error:
                refused.add(error.details["node"])
                self._report(point, str(error))
            # A pack may do anything at import, even exit; it must not take the agent along.
            except (Exception, SystemExit) as error:
                self._report(point, f"{type(error).__name__}: {error}", traceback.format_exc())
        for name in refused:
            del self._nodes[name]

    def _report(self, point: EntryPoint, reason: str, trace: str = "") -> None:
        self.broken.append(BrokenNode(name=point.name, source=point.distribution, reason=reason, traceback=trace))


def _load(point: EntryPoint) -> object:
    module, _, attribute = point.value.partition(":")
    found: object = importlib.import_module(module)
    for part in attribute.split(".") if attribute else []:
        found = getattr(found, part)
    return found
