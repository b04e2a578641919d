"""Cutting a stream of text into lines of bounded length."""

from __future__ import annotations

from ._context import Line

MAX_LINE = 64 * 1024
"""Longer lines (in characters) are cut into parts marked ``partial``."""


class LineSplitter:
    """Feed chunks, get lines. A line ends at LF; a CR in front of it is dropped (CRLF)."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = ""

    def feed(self, text: str) -> list[Line]:
        """Append a chunk; return the lines that are now complete, and parts of one that is too long."""
        *complete, self._rest = (self._rest + text).split("\n")
        lines: list[Line] = []
        for line in complete:
            lines += self._cut(line.removesuffix("\r"))
        while len(self._rest) > self._limit:
            lines.append(Line(self._rest[: self._limit], True))
            self._rest = self._rest[self._limit :]
        return lines

    def flush(self) -> list[Line]:
        """The end of the stream: the last line, if it had no line break."""
        rest, self._rest = self._rest, ""
        return self._cut(rest.removesuffix("\r")) if rest else []

    def _cut(self, line: str) -> list[Line]:
        if len(line) <= self._limit:
            return [Line(line)]
        parts = [line[start : start + self._limit] for start in range(0, len(line), self._limit)]
        return [*(Line(part, True) for part in parts[:-1]), Line(parts[-1])]
