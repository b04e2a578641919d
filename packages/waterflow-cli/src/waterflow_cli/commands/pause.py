"""``waterflow pause`` and ``waterflow resume``."""

from __future__ import annotations

import click

from .._options import call, server_options
from .._runs import on_run


@click.command()
@click.argument("id")
@click.option("--reason", default="", help="Why; shown with the run.")
@server_options
def pause(id: str, reason: str) -> None:
    """Pause the run ID: running steps finish, no new one starts, timers go on."""
    call(lambda client: on_run(client, id, lambda run: run.pause(reason)))
    click.echo(f"run {id} is paused; `waterflow resume {id}` lets it go on")


@click.command()
@click.argument("id")
@server_options
def resume(id: str) -> None:
    """Let the run ID go on after a pause."""
    call(lambda client: on_run(client, id, lambda run: run.resume()))
    click.echo(f"run {id} goes on")
