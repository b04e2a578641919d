"""When code of a node ends the whole agent: a crash of a C library, noted as it happens and read by the next start.

Python's faulthandler writes where the thread was. Attempts whose node was there have failed by that, and are not only
lost with the agent; a node that does so again and again is left alone.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from waterflow_sdk.node import Node

from ._journal import Unfinished
from ._registry import NodeRegistry, Registered

logger = logging.getLogger("waterflow.agent")

MOST = 3
"""So often may a node crash the agent within :data:`PERIOD`; then it is left alone for as long, or until it changes."""

PERIOD = 3600.0
"""Seconds."""

_WHAT = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)
_LARGEST = 100_000

Stamp = tuple[int, int, int]


class Crash(msgspec.Struct, frozen=True):
    """What ended the process (``Segmentation fault``), and where its thread was: file, line, function; inmost first."""

    what: str
    frames: tuple[tuple[str, str, str], ...] = ()

    def within(self, file: str) -> str:
        """The crash in words, at the inmost place in that file; empty if the thread was not in it."""
        shown = file.encode("ascii", "backslashreplace").decode()  # as faulthandler writes it
        for name, line, function in self.frames:
            if name == shown:
                return f"{self.what} in {name}, line {line}, in {function}"
        return ""


class _Event(msgspec.Struct, frozen=True):
    """A crash by a node: when (seconds since 1970), and the state of its code then."""

    node: str
    time: float
    stamp: Stamp


class Crashes:
    """Of one state directory. Only where nobody else uses faulthandler in this process anything is noted."""

    def __init__(self, directory: Path, registry: NodeRegistry) -> None:
        self._note = directory / "crash.txt"
        self._book = directory / "crashes.json"
        self._registry = registry
        self._events = _read_events(self._book)
        self._open: IO[bytes] | None = None

    def last(self, unfinished: Callable[[], list[Unfinished]]) -> dict[str, str]:
        """Why attempts have failed by a crash of the last start: sentences by key as text. To be asked once."""
        crash = _read_crash(self._note)
        if crash is None:
            return {}
        logger.error("the last start of this agent crashed: %s", crash.what)
        blamed: dict[str, str] = {}
        left = unfinished()
        for attempt in left:
            found = self._registry.get(attempt.node)
            if found and (where := crash.within(_code(found.node))):
                blamed[str(attempt.key)] = f"{attempt.node} has a defect: it crashed the whole agent ({where})"
                logger.error("%s: %s", attempt.key, blamed[str(attempt.key)])
        self._count({attempt.node for attempt in left if str(attempt.key) in blamed})
        return blamed

    def objection(self, found: Registered) -> str:
        """Why a node is left alone; empty if it is not. Asked before every step, so it is cheap where none crashed."""
        if not self._events:
            return ""
        name, stamp, now = found.manifest.name, _stamp(found.node), time.time()
        same = [each for each in self._events if (each.node, each.stamp) == (name, stamp) and _recent(each, now)]
        if len(same) < MOST:
            return ""
        return (
            f"leaves node {name!r} alone: it has crashed the whole agent {len(same)} times within an hour; it is used "
            "again when its code has changed, or an hour later"
        )

    def watch(self) -> None:
        """From now on a crash of this process is noted. A process forked from it is not this one."""
        if faulthandler.is_enabled():
            return
        with suppress(OSError):  # a full disk is no reason not to start
            self._open = self._note.open("wb")
            faulthandler.enable(self._open, all_threads=False)
            os.register_at_fork(after_in_child=faulthandler.disable)

    def unwatch(self) -> None:
        """The process ends in order."""
        if self._open:
            faulthandler.disable()
            self._open.close()
            self._note.unlink(missing_ok=True)

    def _count(self, nodes: Iterable[str]) -> None:
        now = time.time()
        found = (self._registry.get(name) for name in sorted(nodes))
        new = [_Event(each.manifest.name, now, _stamp(each.node)) for each in found if each]
        self._events = [*(each for each in self._events if _recent(each, now)), *new]
        with suppress(OSError):
            self._book.write_bytes(msgspec.json.encode(self._events))


def _recent(event: _Event, now: float) -> bool:
    return 0 <= now - event.time < PERIOD


def _read_crash(note: Path) -> Crash | None:
    try:
        with note.open("rb") as file:
            text = file.read(_LARGEST).decode(errors="replace")
        note.unlink()
    except OSError:
        return None
    what = _WHAT.search(text)
    return Crash(what[1], tuple(_FRAME.findall(text))) if what else None


def _read_events(book: Path) -> list[_Event]:
    try:
        return msgspec.json.decode(book.read_bytes(), type=list[_Event])
    except (OSError, msgspec.MsgspecError):
        return []  # none, or one that a loss of power cut


def _code(node: type[Node]) -> str:
    """The file that its ``execute`` was written in."""
    owner = next(each for each in node.__mro__ if "execute" in vars(each))
    return getattr(sys.modules.get(owner.__module__), "__file__", None) or ""


def _stamp(node: type[Node]) -> Stamp:
    try:
        found = os.stat(_code(node))
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_ctime_ns)
