"""Reads imports out of source code, without running it."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name: `module` is absolute and dotted, `at_load` whether loading the file imports it."""

    module: str
    file: Path
    line: int
    at_load: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def module_name(file: Path, src: Path) -> str:
    """`waterflow_sdk.wire._log` for `src/waterflow_sdk/wire/_log.py`; a package's `__init__` is the package."""
    parts = file.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path, src: Path) -> Iterator[Import]:
    """Every import of one file, those inside functions and type-checking blocks too.

    `from a import b` gives `a` and `a.b`, since `b` may be a module.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node, at_load in _walk(tree, True):
        for module in _modules(node, file, src):
            yield Import(module=module, file=file, line=node.lineno, at_load=at_load)


def _walk(node: ast.AST, at_load: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_load
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _only_for_types(child):
            yield from _walk(child, False)
        else:
            yield from _walk(child, at_load)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _modules(node: ast.Import | ast.ImportFrom, file: Path, src: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        package = module_name(file.parent / "__init__.py", src).split(".")
        above = package[: len(package) - node.level + 1]
        base = ".".join([*above, base]) if base else ".".join(above)
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def load_closure(start: str, loads: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """All modules that importing `start` loads, by the imports in `loads`; parents of a module are loaded with it."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        if parent := module.rpartition(".")[0]:
            waiting.append(parent)
        waiting.extend(loads.get(module, ()))
    return frozenset(seen)
