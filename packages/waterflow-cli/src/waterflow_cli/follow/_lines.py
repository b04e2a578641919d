"""Log lines as text, fast: many thousand a second go to a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

import click

from waterflow_sdk.wire import LogEventKind, LogLine, LogStreamKind

from .._console import clean
from ._events import words
from ._progress import Progress

_HOST_COLOURS = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta", "bright_blue")


def host_colour(host: str) -> str:
    """The colour of a host: always the same one, in every command."""
    return _HOST_COLOURS[crc32(host.encode()) % len(_HOST_COLOURS)]


class LineFormatter:
    """Log lines with their prefix: ``host │`` in the host's colour, or ``[job host step]`` without colour.

    ``bar``: progress is drawn elsewhere, and no line tells of it.
    """

    def __init__(self, progress: Progress, *, colour: bool, terminal: bool, bar: bool = False) -> None:
        self._progress = progress
        self._colour = colour
        self._terminal = terminal
        self._bar = bar
        self._width = 0
        self._kept_from: str | None = None

    def format(self, lines: Iterable[LogLine]) -> list[str]:
        """The lines to show, without line ends."""
        texts: list[str] = []
        for line in lines:
            if line.kept_from != self._kept_from:
                self._kept_from = line.kept_from
                texts.append(self._heading(line.kept_from))
            if (text := self._format(line)) is not None:
                texts.append(text)
        return texts

    def _heading(self, kept_from: str | None) -> str:
        """Between the lines of a former run, which a retry kept, and its own."""
        text = f"── kept from run {kept_from} ──" if kept_from else "── this run ──"
        return self._styled(text, "bold") if self._colour else text

    def _format(self, line: LogLine) -> str | None:
        if line.stream is not LogStreamKind.EVENT:
            text = clean(line.text, colour=self._colour)
            return self._prefix(line) + (f"{text}…" if line.partial else text)
        if self._bar and line.event is LogEventKind.PROGRESS:
            return None
        said = words(line, self._progress.step_name(line))
        if said is None:
            return None
        text, style = clean(said[0], colour=False), said[1]
        return self._prefix(line) + (self._styled(text, style) if self._colour and style else text)

    @staticmethod
    def _styled(text: str, style: str) -> str:
        return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style)

    def _prefix(self, line: LogLine) -> str:
        host = clean(self._progress.host(line), colour=False)
        if not self._terminal:
            step = clean(self._progress.step_name(line), colour=False)
            return f"[{' '.join(part for part in (self._progress.job(line), host, step) if part)}] "
        self._width = max(self._width, min(len(host), 24))
        text = f"{host:<{self._width}} │ "
        return click.style(text, fg=host_colour(host)) if self._colour else text
