"""What discovery finds: units, each loaded as a whole."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple

from waterflow_sdk.wire import BrokenNode

Values = list[tuple[str, object]]
"""Names (for reports) and values: node classes or decorated functions."""


class Loaded(NamedTuple):
    """What loading a unit gave: nodes, what of it did not load, and what keeps its code importable."""

    values: Values
    broken: list[BrokenNode]
    code: Any = None


class Unit(NamedTuple):
    """A distribution, a file, a package or a manifest.

    ``key`` is the same for all its versions, ``label`` is what people read, ``stamp`` changes with its content, and
    ``load`` reads it; it may raise anything, and is called in a thread of its own. ``code`` is what a trial in another
    process has to run: the path of a file or package, or the values of entry points; nothing for a manifest.
    """

    key: str
    label: str
    stamp: Hashable
    load: Callable[[], Loaded]
    code: Path | tuple[str, ...] = ()


class NotANode(Exception):
    """A file in the plug-in directory is not what it should be; the message is for its author."""
