"""``waterflow edit``."""

from __future__ import annotations

import sys

import click

from .._errors import CliError
from .._options import server_options
from .._values import value_options


@click.command()
@click.argument("id")
@click.option("-f", "--file", required=True, help="The changed workflow file.")
@value_options
@click.option("--dry-run", is_flag=True, help="Only show what would be kept and what would run again.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--detach", is_flag=True, help="Return as soon as the new run is accepted; its id goes to stdout.")
@server_options
def edit(id: str, file: str, dry_run: bool, yes: bool, detach: bool) -> int:
    """Let the run ID, which failed, was cancelled or is paused, go on with a changed definition, and follow it.

    First it is shown what is kept and what runs again, and why. Values given here are put over those of the old run.
    """
    import asyncio

    from .._session import edit_there
    from .._submit import prepare

    if not dry_run and not yes and not sys.stdin.isatty():
        raise CliError("nobody is there to ask", "say --yes to go on, or --dry-run to see what would be kept")
    return asyncio.run(edit_there(id, prepare(file), dry_run=dry_run, asks=not yes, detach=detach))
