"""What a run looks like while it runs: the interface, and the choice between the two ways."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from .._console import has_colour, is_terminal
from ._lines import LineFormatter
from ._progress import Progress
from ._waiting import waits

if TYPE_CHECKING:
    from waterflow_sdk.wire import LogLine


class RunView(Protocol):
    """Shows a run. ``progress`` is what it shows."""

    progress: Progress

    def start(self) -> None:
        """Begin."""

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Show lines of the log."""

    def refresh(self) -> None:
        """The state of the run is newer."""

    def message(self, text: str) -> None:
        """Say something that is not of the run."""

    def stop(self) -> None:
        """End, or make room for a question; :meth:`start` goes on."""


class PlainView:
    """Lines only: output with its prefix on stdout, messages on stderr."""

    def __init__(self, progress: Progress, options: str = "") -> None:
        self.progress = progress
        self._options = options
        self._waits: list[str] = []
        self._formatter = LineFormatter(progress, colour=has_colour(sys.stdout), terminal=is_terminal(sys.stdout))

    def start(self) -> None:
        """Nothing to prepare."""

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Write the lines at once."""
        if texts := self._formatter.format(lines):
            sys.stdout.write("\n".join(texts) + "\n")
            sys.stdout.flush()

    def refresh(self) -> None:
        """Say once what the run waits for; states are in the summary, boundaries of steps in the log."""
        run = self.progress.run
        before, self._waits = self._waits, waits(run, self._options) if run else []
        for text in self._waits:
            if text not in before:
                self.message(text)

    def message(self, text: str) -> None:
        """Write on stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """Nothing to put away."""


def make_view(steps: Mapping[str, int] | None = None, options: str = "") -> RunView:
    """The live view on a terminal, else plain lines.

    ``steps`` gives the number of steps of each job; ``options`` (each after a space) are those that a command needs to
    reach the same server.
    """
    progress = Progress(steps)
    if not is_terminal(sys.stdout):
        return PlainView(progress, options)
    from ._live import LiveView

    return LiveView(progress, options)
