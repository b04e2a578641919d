"""What an agent would make of a plug-in, told to its author before there is an agent that has it."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

from waterflow_sdk.wire import BrokenNode

from .._registry import Pack, Registered
from ._contained import Outcome, contained
from ._directory import unit_at
from ._discovery import load_pack

_KINDS = "a .py file, a Python package, a folder with a node.yaml, or a manifest"


def review(path: Path) -> tuple[bool, list[str]]:
    """Whether an agent would use all of the plug-in at ``path``, and what is to be said of it, line by line.

    Its code is run here, as an agent would run it.
    """
    unit = unit_at(Path(os.path.abspath(path)))  # of `..` too
    if unit is None:
        return False, [f"error: {path} is no plug-in: {_KINDS} is one" if path.exists() else f"error: no file {path}"]
    outcome: Outcome[Pack] = asyncio.run(contained(partial(load_pack, unit), unit.label))
    if outcome.value is None:
        broken = [BrokenNode(name=unit.key, source=unit.label, reason=outcome.reason, traceback=outcome.traceback)]
        pack = Pack(key=unit.key, label=unit.label, broken=broken)
    else:
        pack = outcome.value
    lines = [line for node in pack.nodes for line in _node(node)]
    lines += [line for broken in pack.broken for line in _broken(broken)]
    return not pack.broken, lines


def _node(node: Registered) -> list[str]:
    from waterflow_sdk.testing import assert_conforms  # for authors only

    manifest = node.manifest
    lines = [f"{manifest.name} {manifest.version}: an agent can use it"]
    try:
        assert_conforms(node.node)
    except AssertionError as error:
        lines += [f"  better: {line}" for line in str(error).splitlines()]
    return lines


def _broken(broken: BrokenNode) -> list[str]:
    return [f"error: {broken.name}: {broken.reason}", *broken.traceback.rstrip().splitlines()]
