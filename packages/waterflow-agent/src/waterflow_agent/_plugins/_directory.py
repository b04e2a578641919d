"""The plug-in directory: which units lie in it. Reads names and times only, several times a second."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from functools import partial
from pathlib import Path

from ._manifest import load_manifest
from ._unit import Loaded, Unit

_CONTAINERS = ("core", "custom")
_MANIFESTS = ("node.yaml", "node.yml", "node.json")
_MANIFEST_ENDS = tuple(f".{name}" for name in _MANIFESTS)


def plugin_units(directory: Path) -> list[Unit]:
    """The units in a plug-in directory, in its ``core`` and in its ``custom``. None if there is no such directory."""
    units: list[Unit] = []
    for folder in (directory, *(directory / name for name in _CONTAINERS)):
        for entry in _entries(folder):
            if not (folder == directory and entry.name in _CONTAINERS):
                units += _unit(directory, entry)
    return units


def unit_at(path: Path) -> Unit | None:
    """The unit that a file or folder is, wherever it lies; None if it is none."""
    return next(
        (unit for entry in _entries(path.parent) if entry.name == path.name for unit in _unit(path.parent, entry)), None
    )


def _unit(directory: Path, entry: os.DirEntry[str]) -> Iterator[Unit]:
    path = Path(entry.path)
    label = str(path.relative_to(directory))
    if entry.name.startswith((".", "_")):
        return  # hidden, private, __pycache__, or a download in progress
    if entry.name.endswith(".py"):
        yield Unit(label, label, _stamp(path), partial(_load_python, path), path)
    elif entry.name in _MANIFESTS or entry.name.endswith(_MANIFEST_ENDS):
        yield Unit(label, label, (_stamp(path), _stamps(path.parent)), partial(load_manifest, path))
    elif (path / "__init__.py").is_file():
        yield Unit(label, label, tuple(_tree(path)), partial(_load_python, path), path)
    else:
        for name in _MANIFESTS:
            if (path / name).is_file():
                yield Unit(label, f"{label}/{name}", tuple(_stamps(path)), partial(load_manifest, path / name))
                return


def _load_python(path: Path) -> Loaded:
    from ._python import load_python  # with the first such plug-in: importlib.abc takes memory

    return load_python(path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []  # not there, or just removed


def _stamp(path: Path) -> Hashable:
    try:
        status = path.stat()
    except OSError:
        return None
    # The time of change, not that of modification: it also follows `mv`, `chmod` and `cp --preserve`.
    return (path.name, status.st_ino, status.st_size, status.st_ctime_ns)


def _stamps(folder: Path) -> tuple[Hashable, ...]:
    """Files beside a manifest, such as its executable; what lies deeper may be anything and large."""
    return tuple(_stamp(Path(entry.path)) for entry in _entries(folder) if not entry.is_dir())


def _tree(folder: Path) -> Iterator[Hashable]:
    for entry in _entries(folder):
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield (entry.name, tuple(_tree(Path(entry.path))))
        elif entry.name.endswith(".py"):
            yield _stamp(Path(entry.path))
