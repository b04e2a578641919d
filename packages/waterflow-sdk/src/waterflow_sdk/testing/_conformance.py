"""The conformance check of a node pack's tests."""

from __future__ import annotations

from typing import Any

from ..node import InvalidNode, NodeManifest, check_node, manifest_of, node_class
from ..wire import canonical_json, decode


def assert_conforms(node: object) -> NodeManifest:
    """Check a node as the agent does when it registers it, and that it is documented; return its manifest.

    Raises:
        AssertionError: Everything that is wrong, one line each.
    """
    try:
        found = node_class(node)
        check_node(found)
    except InvalidNode as error:
        raise AssertionError("\n".join(error.problems)) from error
    manifest = manifest_of(found)
    problems = _undocumented("input", manifest.inputs) + _undocumented("output", manifest.outputs) + _examples(manifest)
    if decode(canonical_json(manifest), NodeManifest) != manifest:
        problems.append("its manifest changes when it is written as JSON and read again")
    if problems:
        raise AssertionError("\n".join(problems))
    return manifest


def _undocumented(kind: str, schema: dict[str, Any]) -> list[str]:
    properties: dict[str, dict[str, Any] | bool] = schema.get("properties", {})
    return [
        f"{kind} {name!r} has no description: Annotated[…, Meta(description=…)]"
        for name, field in properties.items()
        if isinstance(field, bool) or not field.get("description")
    ]


def _examples(manifest: NodeManifest) -> list[str]:
    if not manifest.examples:
        return ["it has no examples"]
    return [
        f"example {example.title!r} does not use it: no 'uses: {manifest.name}' in its YAML"
        for example in manifest.examples
        if f"uses: {manifest.name}" not in example.yaml and not (manifest.name == "shell" and "run:" in example.yaml)
    ]
