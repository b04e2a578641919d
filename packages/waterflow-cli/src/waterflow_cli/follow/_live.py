"""The view on a terminal: output scrolls by, below it a row for each host."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from waterflow_sdk.wire import LogLine, State

from .._console import has_colour, make_console
from .._format import between, colour, mark
from .._grid import rollout_lines
from ._lines import LineFormatter
from ._progress import HostProgress, Progress
from ._waiting import waits

_BAR = 20
_MARGIN = 6


class LiveView:
    """Output above, one row for each job instance below. Drawn eight times a second, however much comes."""

    def __init__(self, progress: Progress, options: str = "") -> None:
        self.progress = progress
        self._options = options
        self._console = make_console(sys.stdout)
        self._formatter = LineFormatter(progress, colour=has_colour(sys.stdout), terminal=True, bar=True)
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def start(self) -> None:
        """Draw from now on."""
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._render,
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def stop(self) -> None:
        """Take the rows away; the output stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Write the lines above the rows, all at once: each write draws the rows anew."""
        if texts := self._formatter.format(lines):
            self._console.print(Text.from_ansi("\n".join(texts)), soft_wrap=True)

    def refresh(self) -> None:
        """Nothing to do: the rows are drawn from the progress itself."""

    def message(self, text: str) -> None:
        """Write above the rows."""
        self._console.print(Text(text, style="yellow"))

    def _render(self) -> RenderableType:
        hosts = list(self.progress.hosts.values())
        run = self.progress.run
        notes = [Text(line, style="yellow") for line in (waits(run, self._options) if run else [])]
        going = [rollout for rollout in run.rollouts if not rollout.state.ended] if run else []
        notes += [Text(line, style="cyan") for rollout in going for line in rollout_lines(rollout)]
        taken = sum(len(note.wrap(self._console, self._console.width)) for note in notes)
        room = max(self._console.height - _MARGIN - taken, 3)
        shown = _most_interesting(hosts, room)
        parts: list[RenderableType] = [self._head(hosts), *notes, _rows(shown)]
        if len(shown) < len(hosts):
            parts.append(Text(f"… and {len(hosts) - len(shown)} more", style="bright_black"))
        return Group(*parts)

    def _head(self, hosts: list[HostProgress]) -> RenderableType:
        run = self.progress.run
        ended = sum(host.state.ended for host in hosts)
        text = Text.assemble(
            (run.title or run.name if run else "", "bold"),
            f"  {ended}/{len(hosts)} done  " if hosts else "  waiting for the first job  ",
            between(run.started or run.submitted, run.ended) if run else "",
        )
        self._spinner.update(text=text)
        return self._spinner


def _most_interesting(hosts: list[HostProgress], room: int) -> list[HostProgress]:
    """As many as there is room for: failed and running ones first, those that are done last."""
    if len(hosts) <= room:
        return hosts

    def rank(host: HostProgress) -> int:
        if host.state in {State.FAILED, State.TIMED_OUT}:
            return 0
        return 3 if host.state.ended else 1 if host.state is State.RUNNING else 2

    chosen = {host.instance for host in sorted(hosts, key=rank)[:room]}
    return [host for host in hosts if host.instance in chosen]


def _rows(hosts: list[HostProgress]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(6):
        table.add_column(no_wrap=True, overflow="ellipsis")
    now = datetime.now(UTC)
    for host in hosts:
        done = f"{host.ended_steps}/{host.steps}" if host.steps else ""
        table.add_row(
            Text(f"{mark(host.state)} {host.job}", style=colour(host.state)),
            Text(host.host, style="bold"),
            _bar(host),
            Text(done),
            Text(between(host.started, host.ended, now)),
            _what(host),
        )
    return table


def _what(host: HostProgress) -> Text:
    """What the host does, or why it does not."""
    if host.error:
        return Text(host.error, style="yellow" if host.state is State.WAITING else "red")
    return Text(host.step or host.state.value)


def _bar(host: HostProgress) -> ProgressBar:
    share = host.share
    return ProgressBar(
        total=None if share is None and host.state is State.RUNNING else 1.0,
        completed=share or 0.0,
        width=_BAR,
        complete_style=colour(host.state),
        finished_style=colour(host.state),
    )
