"""What ``uses`` means. Forms: language.md, "Step"."""

from __future__ import annotations

import re

from waterflow_dsl._catalog import Catalog
from waterflow_dsl._control import CONTROL_NODES
from waterflow_dsl.plan import UsesKind, UsesPlan

_NODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)*")
_ACTION = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[^@\s]+)?")

BUILT_IN = frozenset(
    [
        "shell",
        "python",
        "file/upload",
        "file/download",
        "file/transfer",
        "file/read",
        "file/write",
        "file/copy",
        "file/template",
        "artifact/upload",
        "artifact/download",
        "check/http",
        "check/tcp",
        "check/container",
        "http/request",
        "env/set",
        "env/unset",
        "config/read",
        "config/set",
        "docker/exec",
        "docker/pull",
        "docker/run",
        "docker/stop",
        "docker/rm",
        "docker/build",
        "docker/push",
        "docker/logs",
        "docker/inspect",
        "docker/compose-up",
        "docker/compose-down",
        "docker/compose-restart",
        "docker/compose-ps",
    ]
)
"""Names of the built-in nodes: with `@` they are nodes of that version, not actions, even where no catalog is given."""


def parse_uses(text: str, catalog: Catalog | None) -> UsesPlan | None:
    """What a ``uses`` means; None when it has no known form."""
    if "${{" in text:
        return UsesPlan(kind=UsesKind.EXPRESSION, name=text)
    if text.startswith(("./", "../", ".\\")) or text == ".":
        return UsesPlan(kind=UsesKind.LOCAL, name=text)
    if text.startswith("docker://"):
        return UsesPlan(kind=UsesKind.DOCKER, name=text[9:]) if len(text) > 9 else None
    if text.startswith("steps/"):
        return UsesPlan(kind=UsesKind.LIBRARY, name=text[6:]) if len(text) > 6 else None
    if text.startswith("node:"):
        return _node(text[5:])
    if text.startswith("action:"):
        return _action(text[7:])
    name, at, _ref = text.partition("@")
    return _node(text) if not at or is_node(name, catalog) else _action(text)


def is_node(name: str, catalog: Catalog | None) -> bool:
    """Whether the catalog or the built-ins know a node of that name."""
    return name in CONTROL_NODES or name in BUILT_IN or (catalog is not None and name in catalog.nodes)


def _node(text: str) -> UsesPlan | None:
    name, at, ref = text.partition("@")
    if not _NODE.fullmatch(name) or (at and not ref):
        return None
    kind = UsesKind.CONTROL if name in CONTROL_NODES else UsesKind.NODE
    return UsesPlan(kind=kind, name=name, ref=ref or None)


def _action(text: str) -> UsesPlan | None:
    name, _at, ref = text.rpartition("@")
    if not _ACTION.fullmatch(name) or not ref or ref != ref.strip():
        return None
    return UsesPlan(kind=UsesKind.ACTION, name=name, ref=ref)
