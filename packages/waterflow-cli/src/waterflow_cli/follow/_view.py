"""What a run looks like while it runs: the interface, and the choice between the two ways."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from .._console import has_colour, is_terminal
from ._lines import LineFormatter
from ._progress import Progress

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

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._formatter = LineFormatter(progress, colour=has_colour(sys.stdout), terminal=is_terminal(sys.stdout))

    def start(self) -> None:
        """Nothing to prepare."""

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Write the lines at once."""
        if texts := self._formatter.format(lines):
            sys.stdout.write("\n".join(texts) + "\n")
            sys.stdout.flush()

    def refresh(self) -> None:
        """States are in the summary; boundaries of steps are in the log."""

    def message(self, text: str) -> None:
        """Write on stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """Nothing to put away."""


def make_view(steps: Mapping[str, int] | None = None) -> RunView:
    """The live view on a terminal, else plain lines. ``steps`` gives the number of steps of each job."""
    progress = Progress(steps)
    if not is_terminal(sys.stdout):
        return PlainView(progress)
    from ._live import LiveView

    return LiveView(progress)
