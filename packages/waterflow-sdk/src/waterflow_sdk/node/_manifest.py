"""The manifest of a node: what everybody knows of it without running it."""

from __future__ import annotations

from ..wire import NodeManifest
from ._node import Node, check_interface, describe, input_type, output_type
from ._schema import schema_of, secret_fields


def manifest_of(node: type[Node], *, distribution: str = "") -> NodeManifest:
    """Describe a node for the catalog. ``distribution`` is what it was installed with (``waterflow-slack 1.2.0``).

    Raises:
        IncompatibleNode: The node was made for another major interface version.
    """
    check_interface(node)
    inputs, outputs = input_type(node), output_type(node)
    return NodeManifest(
        name=node.name,
        version=node.version,
        description=describe(node),
        interface=node.interface,
        inputs=schema_of(inputs, node.input_schema),
        outputs=schema_of(outputs, node.output_schema),
        secret_inputs=secret_fields(inputs) if inputs else sorted(node.secret_inputs),
        capabilities=sorted(node.capabilities),
        retry_safe=node.retry_safe,
        resumable=node.resumable,
        confinable=node.confinable,
        examples=list(node.examples),
        distribution=distribution,
    )
