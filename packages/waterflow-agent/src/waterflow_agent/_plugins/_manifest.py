"""``node.yaml`` or ``node.json``: a node in any language, described by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import msgspec

from waterflow_sdk.node import Node
from waterflow_sdk.wire import INTERFACE_VERSION, NodeExample

from ._command import CommandNode
from ._unit import Loaded, NotANode

_LARGEST = 1024 * 1024


class CommandManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The fields of a manifest file.

    ``command`` is the program and its arguments; words that begin with ``./`` are files beside the manifest.
    ``inputs`` and ``outputs`` are JSON Schemas (2020-12) of type object. Inputs whose schema says ``writeOnly: true``
    or ``format: password``, and those named by ``secret-inputs``, are masked. The others are as for a node in Python.
    """

    name: str
    version: str
    description: str
    command: list[str]
    interface: str = INTERFACE_VERSION
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    secret_inputs: list[str] = []
    capabilities: list[str] = []
    retry_safe: bool = False
    resumable: bool = False
    examples: list[NodeExample] = []


def load_manifest(path: Path) -> Loaded:
    """The node that a manifest describes. Raises NotANode saying what to put right."""
    manifest = _parse(path)
    return Loaded([(manifest.name, _node(manifest, _command(manifest.command, path.parent)))], [])


def _parse(path: Path) -> CommandManifest:
    if path.stat().st_size > _LARGEST:
        raise NotANode(f"it is larger than {_LARGEST} bytes")
    try:
        return msgspec.convert(_read(path), CommandManifest)
    except msgspec.ValidationError as error:
        raise NotANode(f"it is no valid manifest: {error}") from None


def _read(path: Path) -> Any:
    data = path.read_bytes()
    if path.suffix == ".json":
        try:
            return msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise NotANode(f"it is not valid JSON: {error}") from None
    import yaml  # imported with the first manifest: most agents have none

    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise NotANode(f"it is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise NotANode("it is not valid YAML: it is nested too deeply") from None


def _command(words: list[str], folder: Path) -> tuple[str, ...]:
    if not words or not all(words):
        raise NotANode("command must name a program, such as [./run]")
    found = tuple(os.path.abspath(folder / word) if word.startswith("./") else word for word in words)
    for word, path in zip(words, found, strict=True):
        if word.startswith("./") and not os.path.isfile(path):
            raise NotANode(f"its command names {word}, which is no file beside it")
    if "/" in found[0] and not os.access(found[0], os.X_OK):
        raise NotANode(f"its command {words[0]} cannot be executed: make it executable (chmod +x)")
    return found


def _node(manifest: CommandManifest, command: tuple[str, ...]) -> type[Node]:
    members: dict[str, Any] = {
        "__module__": __name__,
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description.strip(),
        "interface": manifest.interface,
        "capabilities": tuple(manifest.capabilities),
        "retry_safe": manifest.retry_safe,
        "resumable": manifest.resumable,
        "examples": tuple(manifest.examples),
        "input_schema": {"type": "object", **manifest.inputs},
        "output_schema": {"type": "object", **manifest.outputs},
        "secret_inputs": sorted({*manifest.secret_inputs, *_secret_properties(manifest.inputs)}),
        "command": command,
    }
    return type("ManifestNode", (CommandNode,), members)


def _secret_properties(schema: dict[str, Any]) -> list[str]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return []
    return [name for name, value in cast("dict[str, Any]", properties).items() if _is_secret(value)]


def _is_secret(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    found = cast("dict[str, Any]", schema)
    return found.get("writeOnly") is True or found.get("format") == "password"
