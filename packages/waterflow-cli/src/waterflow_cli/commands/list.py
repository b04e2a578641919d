"""``waterflow list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from waterflow_sdk.wire import RunSummary, State

from .._format import between, colour, moment
from .._options import call, format_option, server_options
from .._output import Cell, write_data, write_table

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient


@click.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only runs in this state.")
@click.option("--name", help="Only runs of the workflow with this name.")
@click.option("--label", help="Only runs with this label.")
@click.option("--started-by", metavar="WHO", help="Only runs that WHO started.")
@click.option(
    "--since", metavar="TIME", help="Only runs submitted then or later: a date and time, 10:14, or 2h ago: 2h."
)
@click.option("--until", metavar="TIME", help="Only runs submitted then or before.")
@click.option("--text", help="What name, id or who started it begins with, or a whole label.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@format_option
@server_options
def list_runs(state: str | None, since: str | None, until: str | None, format: str, **filters: Any) -> None:
    """List runs, newest first."""
    from .._past import parse_moment

    filters["state"] = State(state) if state else None
    filters["since"] = parse_moment("--since", since) if since else None
    filters["until"] = parse_moment("--until", until) if until else None

    async def fetch(client: AsyncClient) -> list[RunSummary]:
        return [run async for run in client.runs(**filters)]

    runs = call(fetch)
    if write_data(runs, format):
        return
    wide = format == "wide"
    headers = ["ID", "NAME", "STATE", "SUBMITTED", "DURATION", *(["STARTED BY", "LABELS"] if wide else [])]
    write_table(headers, [_row(run, wide) for run in runs], "there are no such runs")


def _row(run: RunSummary, wide: bool) -> list[Cell]:
    more: list[Cell] = [run.started_by, " ".join(run.labels)] if wide else []
    took = between(run.submitted, run.ended)
    return [run.id, run.name, (run.state.value, colour(run.state)), moment(run.submitted), took, *more]
