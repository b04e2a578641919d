"""``waterflow apply``."""

from __future__ import annotations

from pathlib import PurePath

import click

from waterflow_sdk.client import AsyncClient
from waterflow_sdk.wire import DefinitionInfo

from .._options import call, format_option, server_options
from .._output import write_data
from .._source import Source


@click.command()
@click.option("-f", "--file", "file", required=True, metavar="FILE", help="A workflow file; `-` is stdin.")
@click.option("--name", metavar="NAME", help="Name of the definition; else that of the file, without its ending.")
@click.option(
    "--expect", type=click.IntRange(min=0), metavar="VERSION", help="Refuse unless this is the newest version."
)
@format_option
@server_options
def apply(file: str, name: str | None, expect: int | None, format: str) -> None:
    """Keep the workflow FILE on the server as a definition, as its new active version; its schedules follow."""
    from .._called import read_workflow
    from .._errors import CliError
    from .._language import require_valid

    source = read_workflow(file)
    if name is None and file == "-":
        raise CliError("a definition from standard input needs a name", hint="add --name NAME")
    require_valid(source, {})
    made = call(lambda client: _apply(client, name or PurePath(source.name).stem, source, expect))
    if write_data(made, format):
        return
    what = f"version {made.latest} is active" if made.created else f"version {made.active} is unchanged"
    click.echo(f"definition {made.name}: {what}")
    for schedule in made.schedules:
        click.echo(f"schedule {schedule}")
    if not made.enabled:
        click.echo(f"warning: definition {made.name} is disabled: nothing starts it", err=True)


async def _apply(client: AsyncClient, name: str, source: Source, expect: int | None) -> DefinitionInfo:
    from .._submit import refusals

    with refusals(source):
        return await client.definitions.apply(
            name, source.text, filename=source.name, files=source.files, expected=expect
        )
