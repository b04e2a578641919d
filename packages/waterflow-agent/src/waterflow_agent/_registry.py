"""The nodes of this agent by name: found by discovery, or given by the application that embeds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from waterflow_sdk.node import Node, check_node, manifest_of, node_class
from waterflow_sdk.wire import BrokenNode, NodeManifest

from ._errors import NodeConflict

_APPLICATION = "application"


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A node that can run here, and where it comes from.

    ``code`` keeps the modules of a plug-in importable: steps that run hold it, so that they end with the code they
    began with.
    """

    node: type[Node]
    manifest: NodeManifest
    digest: str
    source: str
    code: Any = None


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes of one source: a distribution, or a file in the plug-in directory.

    ``key`` is the same for all versions of the source, ``label`` is what people read (``waterflow-slack 1.2.0``).
    """

    key: str
    label: str
    nodes: list[Registered] = []
    broken: list[BrokenNode] = []


def register(value: object, source: str, code: Any = None) -> Registered:
    """A checked node class or decorated function. Raises InvalidNode with all that is wrong with it."""
    node = node_class(value)
    check_node(node)
    manifest = manifest_of(node, distribution=source)
    return Registered(node=node, manifest=manifest, digest=manifest.digest, source=source, code=code)


class NodeRegistry:
    """Nodes by name. Whatever is wrong with one of them is kept in ``broken`` and harms no other."""

    def __init__(self) -> None:
        self._given: dict[str, Registered] = {}
        self._nodes: dict[str, Registered] = {}
        self._holders: dict[str, str] = {}
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

    def add(self, value: object, source: str = _APPLICATION) -> Registered:
        """Adds a node of the application. Raises InvalidNode, and NodeConflict when the name is claimed already."""
        found = register(value, source)
        name = found.manifest.name
        taken = self._nodes.get(name)
        if taken and taken.node is not found.node:
            raise NodeConflict(
                f"node {name!r} is claimed by {taken.source} and by {source}; neither is used: remove one",
                {"node": name, "sources": sorted((taken.source, source))},
            )
        self._given[name] = self._nodes[name] = found
        self._holders[name] = _APPLICATION
        return found

    def settle(self, packs: Iterable[Pack]) -> bool:
        """Takes these packs as all that were found, at once. Answers whether what the agent offers has changed.

        A name that two packs claim stays with the one that has it; if neither has, neither gets it.
        """
        before = (self.digests, self.broken)
        claims: dict[str, dict[str, Registered]] = {name: {_APPLICATION: node} for name, node in self._given.items()}
        broken: list[BrokenNode] = []
        for pack in packs:
            broken += pack.broken
            for found in pack.nodes:
                claims.setdefault(found.manifest.name, {})[pack.key] = found
        chosen = {name: self._choose(name, by_pack, broken) for name, by_pack in claims.items()}
        self._holders = {name: key for name, key in chosen.items() if key is not None}
        self._nodes = {name: claims[name][key] for name, key in self._holders.items()}
        self.broken = broken
        return before != (self.digests, self.broken)

    def _choose(self, name: str, claims: dict[str, Registered], broken: list[BrokenNode]) -> str | None:
        """The key of the pack that gets the name; a conflict is reported."""
        if len(claims) == 1:
            return next(iter(claims))
        holder = self._holders.get(name)
        holder = holder if holder in claims else None
        labels = [claims[key].source for key in sorted(claims, key=lambda key: (key != holder, key))]
        end = "neither is used: remove one" if holder is None else f"{labels[0]} stays in use: remove one"
        reason = f"node {name!r} is claimed by {' and by '.join(labels)}; {end}"
        broken.append(BrokenNode(name=name, source=labels[-1], reason=reason))
        return holder
