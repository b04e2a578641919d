"""What is known of nodes, groups and agents when a file is checked. Plain data, made from manifest documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

DURATION_FORMAT = "waterflow-duration"
"""JSON Schema ``format`` of inputs that are durations."""


class NodeSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A node as validation sees it.

    Attributes:
        name: ``docker/exec``; version: ``1.2.0``.
        inputs: JSON Schema (draft 2020-12) of type object; empty = anything goes.
        outputs: JSON Schema of type object; empty = anything may come.
        secret_inputs: inputs that hold secrets.
        capabilities: what an agent must have, ``docker``.
        retry_safe: whether it may be run again without being asked.
        confinable: whether all that it does is done by processes of its own, so that ``run-as`` reaches it.
    """

    name: str
    version: str
    description: str = ""
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    secret_inputs: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    retry_safe: bool = False
    confinable: bool = False

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> NodeSignature:
        """The signature from a manifest document; keys that a newer manifest may add are ignored, and a schema that is
        none decides nothing.

        Raises:
            msgspec.ValidationError: the document is not a manifest; the message says where.
        """
        found = msgspec.convert(dict(manifest), cls)
        return msgspec.structs.replace(found, inputs=_schema(found.inputs), outputs=_schema(found.outputs))


class _Shape(msgspec.Struct):
    """What the checks of a file rely on."""

    properties: dict[str, dict[str, Any] | bool] = {}
    required: list[str] = []
    anyOf: list[dict[str, Any]] = []  # noqa: N815


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        msgspec.convert(schema, _Shape)
    except msgspec.ValidationError:
        return {}
    return schema


class Catalog(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a file is checked against. None = not known, and not checked. Not to be changed once made.

    ``capabilities``: by group, what at least one member has; a group that is not in it is not checked.
    ``broken``: by name, why agents cannot use nodes that they have found, as a clause with the agent in it.
    """

    nodes: Mapping[str, NodeSignature] = {}
    groups: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    capabilities: Mapping[str, frozenset[str]] | None = None
    broken: Mapping[str, str] = {}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        nodes = sorted((name, msgspec.json.encode(node, order="sorted")) for name, node in self.nodes.items())
        known = [None if each is None else sorted(each) for each in (self.groups, self.agents)]
        given = self.capabilities
        capabilities = None if given is None else sorted((group, sorted(names)) for group, names in given.items())
        parts = (nodes, known, capabilities, sorted(self.broken.items()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()
