"""Python code of plug-ins, under private module names and wholly in memory.

Two files never clash, each generation of a file has modules of its own, and a submodule that old code imports late is
the old one. Compiled files are neither written nor read: a change within one second of the same size would be missed.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType

PREFIX = "_waterflow_plugin_"

_numbers = count(1)


class Source(Loader):
    """One compiled file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._code: CodeType = _compiled(path)

    def spec(self, name: str) -> ModuleSpec:
        """The specification of the module under that name."""
        spec = ModuleSpec(name, self, origin=str(self._path), is_package=self._path.name == "__init__.py")
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """importlib: an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """importlib: runs the code."""
        exec(self._code, module.__dict__)


def _compiled(path: Path) -> CodeType:
    try:
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except ValueError as error:  # what a NUL byte was before Python 3.11.4
        raise SyntaxError(str(error)) from error


class _Finder(MetaPathFinder):
    """Finds the modules of all generations that are in use."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        source = self.sources.get(fullname)
        return source.spec(fullname) if source else None


_finder = _Finder()


class Generation:
    """One version of a plug-in's code. Its modules can be imported as long as this object lives.

    Raises:
        OSError: A file cannot be read.
        SyntaxError: A file does not compile; nothing of it is run then.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"{PREFIX}{next(_numbers)}"
        sources = {self.name: Source(path)} if path.is_file() else _package(self.name, path)
        if _finder not in sys.meta_path:
            sys.meta_path.append(_finder)
        _finder.sources |= sources
        weakref.finalize(self, _forget, self.name).atexit = False

    def load(self) -> ModuleType:
        """Runs the code; raises whatever it raises."""
        import importlib

        return importlib.import_module(self.name)


def _package(name: str, folder: Path) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in python_files(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        module = ".".join((name, *(parts[:-1] if parts[-1] == "__init__" else parts)))
        found[module] = Source(path)
    return found


def python_files(folder: Path) -> list[Path]:
    """The files of a package, hidden ones left out."""
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _forget(name: str) -> None:
    for names in (sys.modules, _finder.sources):
        for module in [known for known in names if known == name or known.startswith(name + ".")]:
            del names[module]
