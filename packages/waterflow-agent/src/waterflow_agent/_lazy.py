"""Modules whose code is run when something of them is first used, because an idle agent uses none of them.

``importlib.util.LazyLoader`` would run a module's code at its second ``import`` already, and before Python 3.12.3 two
threads could see half of a module. Here only a missing attribute runs the code, and other threads wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

LAZY = frozenset(
    {
        # asyncio imports it for connections in TLS; those to Temporal are the business of the Temporal SDK.
        "ssl",
        "asyncio.sslproto",  # takes names from ssl while it is imported
        # The Temporal SDK's own, for workers with a pool of processes, for Temporal Cloud's and test servers' services,
        # and, of protobuf, what stands in for its compiled part.
        "multiprocessing",
        "multiprocessing.managers",
        "temporalio.api.cloud.cloudservice.v1",
        "temporalio.api.operatorservice.v1",
        "temporalio.api.testservice.v1",
        "google.protobuf.internal.python_message",
        "google.protobuf.internal.type_checkers",
        # Used when there is a log to ship.
        "http.client",
        # The standard library's and protobuf's, for archives, calendars and locales.
        "bz2",
        "calendar",
        "ipaddress",
        "pickle",
        "locale",
        "lzma",
    }
)
"""Nothing of these may be named by other modules while those are imported (``from ssl import …`` runs the code)."""


def make_lazy(names: frozenset[str] = LAZY) -> None:
    """Makes these modules lazy for the whole process, except those that were imported before."""
    sys.meta_path.insert(0, _Finder(names))


def unused() -> list[str]:
    """Names of the lazy modules that were imported, and of which nothing was used yet."""
    return sorted(name for name, module in sys.modules.items() if isinstance(module, _Unused))


class _Finder:
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """importlib: finds what the ordinary finder does, under another loader."""
        if name not in self._names:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = cast("Loader", _Lazily(spec.loader))
        return spec


class _Lazily:
    """Loads one module when it is used. ``loader`` is its own."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self._lock = RLock()
        self._running = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """importlib: as its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """importlib: not yet."""
        module.__class__ = _Unused

    def run(self, module: ModuleType) -> None:
        """Runs the code, once; nothing more while it is being run by this thread, and waits for another's run."""
        with self._lock:
            if self._running or not isinstance(module, _Unused):
                return
            self._running = True
            try:
                self.loader.exec_module(module)
            finally:
                self._running = False
            ModuleType.__setattr__(module, "__class__", ModuleType)
            module.__loader__ = self.loader
            if module.__spec__:
                module.__spec__.loader = self.loader


class _Unused(ModuleType):
    """A module that was imported, and not used yet."""

    def __getattr__(self, name: str) -> Any:
        _run(self)
        return ModuleType.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if not isinstance(value, ModuleType):  # a submodule is bound here when it is imported
            _run(self)
        ModuleType.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        _run(self)
        return list(ModuleType.__dir__(self))


def _run(module: ModuleType) -> None:
    if module.__spec__ and isinstance(loader := module.__spec__.loader, _Lazily):
        loader.run(module)
