"""What is known of plug-ins whose code may end the whole agent: a note on the disk outlives it.

The note says what is being loaded, and is taken back when that has ended, however it has. An agent that finds one
at its start died meanwhile. That may have had any reason, so the suspect is tried in a process of its own before it is
loaded again. While steps run, everything is: they must not be lost by a file that somebody drops.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Generator
from pathlib import Path

import msgspec

from ._contained import LIMIT
from ._trial import try_out
from ._unit import Unit

logger = logging.getLogger("waterflow.agent")

MOST_DEATHS = 3
"""So often may the agent die while it loads the same code, before that is left alone until it changes."""


class _Suspect(msgspec.Struct, frozen=True):
    stamp: str
    deaths: int


class Caution:
    """The note in ``file``. ``trying`` says whether all code is tried in another process first."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._suspects = _read(file)
        self.trying = False

    async def objection(self, unit: Unit) -> str:
        """Why a unit must not be loaded; empty if it may."""
        deaths = self._deaths(unit)
        if deaths >= MOST_DEATHS:
            return f"the agent has died {deaths} times while it was loaded; it is left alone until it changes"
        if not (deaths or self.trying):
            return ""
        try:
            reason = await try_out(unit, LIMIT)
        except OSError as error:
            logger.warning("%s is loaded without a trial in another process: %s", unit.label, error)
            return ""
        if reason and not deaths:
            self._suspects[unit.key] = _Suspect(_digest(unit), 1)  # the next start is to try it as well
            self._write()
        return reason

    @contextlib.contextmanager
    def loading(self, unit: Unit) -> Generator[None]:
        """Notes that the unit is being loaded, as long as it is."""
        self._suspects[unit.key] = _Suspect(_digest(unit), self._deaths(unit) + 1)
        self._write()
        yield  # where the agent itself is told to end meanwhile, the note stays: one more trial harms nothing
        del self._suspects[unit.key]
        self._write()

    def _deaths(self, unit: Unit) -> int:
        suspect = self._suspects.get(unit.key)
        return suspect.deaths if suspect and suspect.stamp == _digest(unit) else 0

    def _write(self) -> None:
        try:
            if not self._suspects:
                self._file.unlink(missing_ok=True)
                return
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.write_bytes(msgspec.json.encode(self._suspects))
        except OSError as error:  # a full disk is no reason to have no nodes
            logger.debug("%s cannot be written: %s", self._file, error.strerror)


def _read(file: Path) -> dict[str, _Suspect]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, _Suspect])
    except (OSError, msgspec.MsgspecError):
        return {}  # none, or one that a loss of power cut


def _digest(unit: Unit) -> str:
    return hashlib.sha256(repr(unit.stamp).encode()).hexdigest()[:32]
