"""Entry points of installed distributions, read without ``importlib.metadata`` (its imports cost memory at idle).

The format is that of https://packaging.python.org/en/latest/specifications/entry-points/.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class EntryPoint(NamedTuple):
    """``name = module:attribute`` of one distribution, such as ``waterflow-slack 1.2.0``."""

    name: str
    value: str
    distribution: str
    metadata: Path
    """The distribution's ``.dist-info`` directory."""


def entry_points(group: str, path: list[str] | None = None) -> list[EntryPoint]:
    """Entry points of a group, by distribution and name. Of a distribution that is there twice, the first counts."""
    found: dict[str, list[EntryPoint]] = {}
    for folder in dict.fromkeys(sys.path if path is None else path):
        for metadata in _metadata(Path(folder or ".")):
            name, _, version = metadata.stem.partition("-")
            if name not in found:
                found[name] = list(_parse(metadata, group, f"{name.replace('_', '-')} {version}".strip()))
    return [point for name in sorted(found) for point in sorted(found[name])]


def _metadata(folder: Path) -> list[Path]:
    try:
        return sorted(item for item in folder.iterdir() if item.suffix in {".dist-info", ".egg-info"})
    except OSError:
        return []  # entries of sys.path may be archives, or not exist


def _parse(metadata: Path, group: str, distribution: str) -> Iterator[EntryPoint]:
    try:
        text = (metadata / "entry_points.txt").read_text(encoding="utf-8")
    except OSError:
        return
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            # Extras behind the value ("module:attribute [extra]") are obsolete and ignored.
            yield EntryPoint(name.strip(), value.partition("[")[0].strip(), distribution, metadata)
