"""A place in a run's log, opaque to clients: ``<position of the chunk>.<number of the line in it>``."""

from __future__ import annotations

import re

import msgspec

from ._store import InvalidCursor

_FORM = re.compile(r"(\d{1,15})\.(\d{1,9})", re.ASCII)
_WHOLE = 999_999_999  # more lines than a chunk can have


class Cursor(msgspec.Struct, frozen=True):
    """The line that was read last: its chunk's position in the journal in bytes, and its number in the chunk."""

    position: int
    line: int

    @classmethod
    def after_chunk(cls, position: int) -> Cursor:
        """The place after all lines of the chunk at ``position``, without knowing how many it has."""
        return cls(position, _WHOLE)

    @property
    def whole(self) -> bool:
        """Whether nothing of the chunk is left to read."""
        return self.line == _WHOLE

    def __str__(self) -> str:
        return f"{self.position}.{self.line}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read a cursor; raises InvalidCursor."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise InvalidCursor(f"{text[:40]!r} is not a cursor of a log; leave it out to start from the beginning")
        return cls(int(match[1]), int(match[2]))
