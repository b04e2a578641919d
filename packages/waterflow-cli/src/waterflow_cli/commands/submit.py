"""``waterflow submit``."""

from __future__ import annotations

from datetime import datetime

import click

from .._moments import MOMENT
from .._options import call, file_option, server_options
from .._output import write_data
from .._values import value_options


@click.command()
@click.argument("file")
@value_options
@click.option(
    "-o", "--output", "format", type=click.Choice(["id", "json", "yaml"]), default="id", help="Form of the output."
)
@click.option("--at", "run_at", type=MOMENT, metavar="TIME", help="When the run starts; a time that is over is now.")
@file_option
@server_options
def submit(file: str, format: str, run_at: datetime | None) -> None:
    """Submit the workflow FILE (`-`: standard input) and return at once; the id of the run goes to stdout."""
    from .._submit import prepare, submit

    job = prepare(file)
    run = call(lambda client: submit(client, job, run_at))
    if not write_data({"id": run.id, "url": run.url}, format):
        click.echo(run.id)
