"""The node manifest: the one document that the SDK emits, the server keeps and the language validates against."""

from __future__ import annotations

from typing import Any

from ._base import Wire, digest

INTERFACE_VERSION = "1.0"
"""``major.minor`` of the node interface. A pack built for another major is refused with the reason."""


class NodeExample(Wire, frozen=True, kw_only=True):
    """A step that uses the node, as YAML text, and what it shows."""

    title: str
    yaml: str


class NodeManifest(Wire, frozen=True, kw_only=True):
    """What is known of a node without running it.

    ``inputs`` and ``outputs`` are JSON Schemas (draft 2020-12) of type object. ``secret_inputs`` name the inputs that
    hold secrets. ``capabilities`` must be present on an agent (``docker``, ``node``, …). ``retry_safe`` nodes (a GET, a
    pull) may be run again without being asked. The processes of ``resumable`` nodes survive the death of their agent.
    ``confinable`` nodes do all their work in processes of their own, so that a step can run as another user.
    """

    name: str
    version: str
    description: str = ""
    interface: str = INTERFACE_VERSION
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    secret_inputs: list[str] = []
    capabilities: list[str] = []
    retry_safe: bool = False
    resumable: bool = False
    confinable: bool = False
    examples: list[NodeExample] = []
    distribution: str = ""

    @property
    def digest(self) -> str:
        """Content address: SHA-256 of the canonical JSON."""
        return digest(self)


class NodeEntry(Wire, frozen=True, kw_only=True):
    """A node in the catalog: its manifest, and the agents that have it. Control nodes run in the interpreter."""

    manifest: NodeManifest
    agents: list[str] = []
    control: bool = False
