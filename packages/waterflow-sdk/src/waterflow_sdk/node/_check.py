"""Conformance of a node: what its author must put right before anybody can use it."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from ._data import NodeInput, NodeOutput
from ._errors import IncompatibleNode, InvalidNode
from ._manifest import manifest_of
from ._node import NAME, Node, check_interface, describe, input_type, label, output_type
from ._schema import secret_fields
from ._schema_check import schema_problems

_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")  # semver.org, section 2


def check_node(node: type[Node]) -> None:
    """Check a node before it is registered.

    Raises:
        IncompatibleNode: It was made for another major interface version.
        InvalidNode: All that is wrong with it, at once.
    """
    check_interface(node)
    problems = [*_identity(node), *_execute(node), *_data(node)]
    if not problems:
        problems = _manifest(node)
    if problems:
        raise InvalidNode(label(node), problems)


def _identity(node: type[Node]) -> list[str]:
    problems: list[str] = []
    name, version = getattr(node, "name", None), getattr(node, "version", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.append(f"name {name!r} must be lower case words with / between them, such as slack/notify")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        problems.append(f"version {version!r} must be a semantic version, such as 1.0.0")
    if not describe(node):
        problems.append("it has no description: give the class a docstring")
    return problems


def _execute(node: type[Node]) -> list[str]:
    if node.execute is Node.execute:
        return ["it has no execute method"]
    try:
        inspect.signature(node.execute).bind(None, None, None)
    except TypeError:
        return ["execute must take the parameters self, ctx and inputs"]
    try:
        inspect.signature(node).bind()
    except TypeError:
        return ["it must be constructible without arguments: one instance is made for each attempt"]
    return []


def _data(node: type[Node]) -> list[str]:
    problems: list[str] = []
    for attribute, base, given in (("Input", NodeInput, input_type(node)), ("Output", NodeOutput, output_type(node))):
        if given is not None and not (isinstance(given, type) and issubclass(given, base)):  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.append(f"{attribute} must be a subclass of {base.__name__}")
    if problems:
        return problems
    outputs = output_type(node)
    if outputs and (secret := secret_fields(outputs)):
        problems.append(f"output {secret[0]!r} is a Secret: give it as text, and call ctx.add_mask with it")
    return problems


def _manifest(node: type[Node]) -> list[str]:
    try:
        manifest = manifest_of(node)
        msgspec.json.encode(manifest)
    except IncompatibleNode:
        raise
    except (TypeError, ValueError, NotImplementedError, NameError) as error:
        return [f"its manifest cannot be made: {error}"]
    return [*_schema(manifest.inputs, "inputs"), *_schema(manifest.outputs, "outputs")]


def _schema(schema: dict[str, Any], where: str) -> list[str]:
    problems = schema_problems(schema, where)
    return problems if problems or schema.get("type") == "object" else ["its schemas must be of type object"]
