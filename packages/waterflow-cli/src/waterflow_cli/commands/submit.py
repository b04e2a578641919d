"""``waterflow submit``."""

from __future__ import annotations

import click

from .._options import call, file_option, server_options
from .._output import write_data
from .._values import value_options


@click.command()
@click.argument("file")
@value_options
@click.option(
    "-o", "--output", "format", type=click.Choice(["id", "json", "yaml"]), default="id", help="Form of the output."
)
@file_option
@server_options
def submit(file: str, format: str) -> None:
    """Submit the workflow FILE (`-`: standard input) and return at once; the id of the run goes to stdout."""
    from .._submit import prepare, submit

    job = prepare(file)
    run = call(lambda client: submit(client, job))
    if not write_data({"id": run.id, "url": run.url}, format):
        click.echo(run.id)
