"""``waterflow cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._options import call, server_options
from .._runs import on_run

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient, Run


@click.command()
@click.argument("id")
@click.option("--reason", default="", help="Why; shown with the run.")
@click.option("--force", is_flag=True, help="End it at once, without `finally`.")
@click.option("--wait", is_flag=True, help="Return when the run has ended.")
@server_options
def cancel(id: str, reason: str, force: bool, wait: bool) -> None:
    """Cancel the run ID: running steps are ended on their hosts, then `finally` runs."""

    async def work(run: Run) -> str:
        await run.cancel(reason, force=force)
        return (await run.wait()).state.value if wait else ""

    async def on(client: AsyncClient) -> str:
        return await on_run(client, id, work)

    state = call(on)
    click.echo(f"run {id} has ended: {state}" if state else f"run {id} is being cancelled")
