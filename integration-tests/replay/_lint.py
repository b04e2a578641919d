"""What workflow code may not do, found in its syntax: read a clock, chance, the environment, or the order of a set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FORBIDDEN_MODULES = frozenset(
    {"os", "random", "secrets", "socket", "subprocess", "tempfile", "threading", "time", "uuid"}
)
"""Answers that differ between two replays. Durable ones: ``workflow.now()``, ``random()``, ``uuid4()``, ``time()``."""

FORBIDDEN_CALLS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "open", "input", "id"})

_ORDER_IS_LOST = frozenset({"list", "tuple", "enumerate", "iter", "next", "reversed", "zip", "map", "filter"})
"""Called with a set, they give its order; ``sorted``, ``len``, ``any``, ``all``, ``min`` and ``max`` do not."""


def findings(path: Path) -> list[str]:
    """``file:line: what`` for everything in the file that a replay could do otherwise."""
    return [f"{path.name}:{line}: {what}" for line, what in check(path.read_text())]


def check(source: str) -> list[tuple[int, str]]:
    """The same for a text, as (line, what)."""
    tree = ast.parse(source)
    skipped = {id(each) for node in ast.walk(tree) if _is_type_checking(node) for each in ast.walk(node)}
    found = [hit for node in ast.walk(tree) if id(node) not in skipped for hit in _of_node(node)]
    return sorted(set(found))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _of_node(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _module(node.lineno, alias.name)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from _module(node.lineno, node.module or "")
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield from _iteration(node.iter)
    elif isinstance(node, (ast.ListComp, ast.DictComp, ast.GeneratorExp)):
        for generator in node.generators:
            yield from _iteration(generator.iter)


def _module(line: int, name: str) -> Iterator[tuple[int, str]]:
    if name.partition(".")[0] in FORBIDDEN_MODULES:
        yield line, f"imports {name}"


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = ast.unparse(node.func)
    if ".".join(name.split(".")[-2:]) in FORBIDDEN_CALLS:
        yield node.lineno, f"calls {name}()"
    if name in _ORDER_IS_LOST or name.endswith(".join"):
        for argument in node.args:
            yield from _iteration(argument)


def _iteration(node: ast.expr) -> Iterator[tuple[int, str]]:
    if _is_set(node):
        yield node.lineno, f"takes the order of a set: {ast.unparse(node)}"


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)):
        return _is_set(node.left) or _is_set(node.right)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"set", "frozenset"}
