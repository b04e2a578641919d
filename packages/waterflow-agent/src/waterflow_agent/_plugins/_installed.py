"""Nodes of installed distributions, also of those that are installed, replaced or removed while the agent runs."""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from collections.abc import Hashable, Iterator
from functools import partial
from pathlib import Path

from waterflow_sdk.wire import BrokenNode

from .._entry_points import EntryPoint, entry_points
from ._unit import Loaded, Unit

GROUP = "waterflow.nodes"
"""Entry-point group of node packs."""

_UNSETTLED = 5.0
"""Seconds after a change of ``site-packages`` in which everything in it is read again: an installer is at work."""


class InstalledPacks:
    """The distributions with entry points of the group. ``path`` is ``sys.path`` by default."""

    def __init__(self, path: list[str] | None = None) -> None:
        self._path = path
        self._folders: Hashable = None
        self._points: dict[str, list[EntryPoint]] = {}
        self._loaded: dict[str, _Modules] = {}

    def units(self) -> list[Unit]:
        """One unit for each distribution. Costs a few ``stat`` calls while nothing changes."""
        folders = tuple(_changed(Path(folder or ".")) for folder in self._folders_now())
        newest = max((when for when in folders if when is not None), default=0)
        if folders != self._folders or time.time_ns() - newest < _UNSETTLED * 1e9:
            self._folders = folders
            self._points = _by_distribution(entry_points(GROUP, self._path))
        return [self._unit(key, points) for key, points in self._points.items()]

    def forget(self, key: str) -> None:
        """A distribution was removed: so are its modules, lest another version finds half of them."""
        own = self._loaded.pop(key, None)
        for name in own.imported() if own else []:
            del sys.modules[name]

    def _folders_now(self) -> list[str]:
        return list(dict.fromkeys(sys.path if self._path is None else self._path))

    def _unit(self, key: str, points: list[EntryPoint]) -> Unit:
        metadata = points[0].metadata
        stamp = (str(metadata), _changed(metadata), _changed(metadata / "entry_points.txt"))
        values = tuple(point.value for point in points)
        return Unit(key, points[0].distribution, stamp, partial(self._load, key, points), values)

    def _load(self, key: str, points: list[EntryPoint]) -> Loaded:
        """Imports the nodes. The former version's modules make room, and come back if the new one does not load."""
        own = _Modules(points)
        before = self._loaded.get(key)
        former = {name: sys.modules.pop(name) for name in before.imported()} if before else {}
        importlib.invalidate_caches()
        loaded = _import(points)
        if loaded.broken and former:
            for name in own.imported():
                del sys.modules[name]
            sys.modules.update(former)
        else:
            self._loaded[key] = own
        return loaded


class _Modules:
    """Which modules belong to a distribution: those it lists in RECORD, and those under its entry points."""

    def __init__(self, points: list[EntryPoint]) -> None:
        self._recorded = {name for point in points for name in _recorded(point.metadata)}
        self._roots = {point.value.partition(":")[0] for point in points}

    def imported(self) -> list[str]:
        """Those that are imported now."""
        return [name for name in sys.modules if name in self._recorded or self._below(name)]

    def _below(self, name: str) -> bool:
        return any(name == root or name.startswith(root + ".") for root in self._roots)


def _import(points: list[EntryPoint]) -> Loaded:
    loaded = Loaded([], [])
    for point in points:
        try:
            loaded.values.append((point.name, _value(point)))
        # A pack may do anything at import, even exit; it must not take the agent along.
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}"
            trace = traceback.format_exc()
            loaded.broken.append(BrokenNode(name=point.name, source=point.distribution, reason=reason, traceback=trace))
    return loaded


def _value(point: EntryPoint) -> object:
    module, _, attribute = point.value.partition(":")
    found: object = importlib.import_module(module)
    for part in attribute.split(".") if attribute else []:
        found = getattr(found, part)
    return found


def _recorded(metadata: Path) -> Iterator[str]:
    try:
        lines = (metadata / "RECORD").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return  # installed by something else than pip, or not completely yet
    for line in lines:
        path = line.partition(",")[0]
        if path.endswith(".py"):
            yield path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _by_distribution(points: list[EntryPoint]) -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in points:
        found.setdefault(f"distribution {point.distribution.partition(' ')[0]}", []).append(point)
    return found


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
