"""``waterflow logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from waterflow_sdk.wire import LogStreamKind

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
@click.option("--since", metavar="TIME", help="Begin at a date and time, a time of day, or so long ago: 30s, 10m, 2h.")
@click.option("--grep", "search", metavar="TEXT", help="Only lines that hold TEXT.")
@click.option(
    "-o", "--output", metavar="text|json|FILE", default="text", help="json: one object a line; FILE: text into a file."
)
@server_options
def logs(id: str, follow: bool, output: str, since: str | None, stream: str | None, **filters: Any) -> None:
    """Show the log of the run ID; -f follows it, over restarts of the server too.

    A retry begins with the lines of what it kept from the former run. A file named json is `-o ./json`.
    """
    from .._past import parse_moment
    from .._runs import on_run

    filters["since"] = parse_moment("--since", since) if since else None
    filters["stream"] = LogStreamKind(stream) if stream else None

    async def work(run: Run) -> None:
        from ..follow._show import show

        file = None if output in ("text", "json") else output
        await show(run, follow=follow, filters=filters, as_json=output == "json", file=file)

    async def on(client: AsyncClient) -> None:
        await on_run(client, id, work)

    call(on)
