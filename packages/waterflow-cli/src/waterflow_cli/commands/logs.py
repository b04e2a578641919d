"""``waterflow logs``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from waterflow_sdk.wire import LogStreamKind

from .._errors import CliError
from .._options import call, server_options

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient, Run


@click.command()
@click.argument("id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--job", help="Only this job, or this instance of one.")
@click.option("--step", help="Only this step: its id, name or path.")
@click.option("--host", help="Only lines from this host.")
@click.option("--attempt", type=click.IntRange(1), help="Only this attempt.")
@click.option("--stream", type=click.Choice([kind.value for kind in LogStreamKind]), help="Only this stream.")
@click.option("--tail", type=click.IntRange(0, 100_000), metavar="N", help="Begin with the last N lines.")
@click.option("--since", metavar="TIME", help="Begin at an ISO date and time, or so long ago: 30s, 10m, 2h, 1d.")
@click.option("--grep", "search", metavar="TEXT", help="Only lines that hold TEXT.")
@click.option(
    "-o", "--output", "format", type=click.Choice(["text", "json"]), default="text", help="json: one object a line."
)
@server_options
def logs(id: str, follow: bool, format: str, since: str | None, stream: str | None, **filters: Any) -> None:
    """Show the log of the run ID; -f follows it, over restarts of the server too."""
    from .._runs import on_run

    filters["since"] = _since(since) if since else None
    filters["stream"] = LogStreamKind(stream) if stream else None

    async def work(run: Run) -> None:
        from ..follow._show import show

        await show(run, follow=follow, filters=filters, as_json=format == "json")

    async def on(client: AsyncClient) -> None:
        await on_run(client, id, work)

    call(on)


def _since(text: str) -> datetime:
    from waterflow_dsl import parse_duration

    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        raise CliError(
            f"--since {text!r} is neither a time nor a duration", "write 2026-11-21T10:00:00 or 30s, 10m, 2h, 1d"
        ) from None
