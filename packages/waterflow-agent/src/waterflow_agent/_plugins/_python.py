"""Nodes of a Python file or package in the plug-in directory."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import cast

from waterflow_sdk.node import Node

from ._code import Generation
from ._unit import Loaded, NotANode, Values


class PluginRegistry:
    """What ``register(registry)`` of a plug-in gets."""

    def __init__(self) -> None:
        self.values: Values = []

    def add(self, node: object) -> None:
        """Offers a subclass of ``Node`` or a function decorated with ``@node``."""
        self.values.append((_name(node), node))


def load_python(path: Path) -> Loaded:
    """Runs a file or package: its public nodes, or those that its ``register`` adds. Raises whatever it raises."""
    code = Generation(path)
    module = code.load()
    registry = PluginRegistry()
    if callable(register := getattr(module, "register", None)):
        register(registry)
    else:
        for value in _exported(module):
            registry.add(value)
    if not registry.values:
        raise NotANode("it has no node: no public subclass of Node with a name, no decorated function, no register()")
    return Loaded(registry.values, [], code)


def _exported(module: ModuleType) -> list[object]:
    """Public nodes that were made in this plug-in; what it only imported belongs to somebody else."""
    found: dict[int, object] = {}
    for name, value in vars(module).items():
        own = str(getattr(value, "__module__", "")).partition(".")[0] == module.__name__
        if not name.startswith("_") and own and _is_node(value):
            found[id(value)] = value  # an alias is not a second node
    return list(found.values())


def _is_node(value: object) -> bool:
    if hasattr(value, "__waterflow_node__"):
        return True
    return isinstance(value, type) and issubclass(value, Node) and hasattr(value, "name")  # without: a base class


def _name(value: object) -> str:
    found = cast("object", getattr(value, "__waterflow_node__", value))
    return str(getattr(found, "name", None) or repr(value))
