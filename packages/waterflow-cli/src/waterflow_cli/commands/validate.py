"""``waterflow validate``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .._errors import CliError, report
from .._exit_codes import ExitCode
from .._options import file_option, make_client, server_options

if TYPE_CHECKING:
    from waterflow_dsl import Diagnostic
    from waterflow_sdk.client import AsyncClient
    from waterflow_sdk.wire import ValidateResponse

    from .._language import Checked
    from .._source import Source

PATIENCE = 5.0
"""Seconds that a server gets which was not asked for."""


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--server-catalog/--no-server-catalog",
    default=None,
    help="Check nodes, groups and agents against the server's too. Default: if one answers.",
)
@click.option(
    "-o",
    "--output",
    "format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="Form of the output.",
)
@file_option
@server_options
def validate(files: tuple[str, ...], server_catalog: bool | None, format: str) -> int:
    """Check workflow FILES (`-`: standard input). Nothing is run; the exit code is 2 when there are errors."""
    import asyncio

    from .._called import read_workflow

    sources: list[Source] = []
    failed = False
    for name in files:
        try:
            sources.append(read_workflow(name))
        except CliError as error:
            report(error.message, error.hint)
            failed = True
    checked = asyncio.run(_check(sources, server_catalog))
    _write(checked, format)
    return ExitCode.USAGE if failed or any(each.plan is None for each in checked) else ExitCode.OK


async def _check(sources: list[Source], server_catalog: bool | None) -> list[Checked]:
    """Checked here, and by the server where it is to be and there is no error yet."""
    from waterflow_sdk.client import ServerUnavailable, WaterflowError

    from .._language import check_source

    checked = [check_source(source) for source in sources]
    if server_catalog is False:
        return checked
    client = make_client() if server_catalog else make_client(retries=0, timeout=PATIENCE)
    async with client:
        for place, each in enumerate(checked):
            try:
                if each.plan is not None:
                    checked[place] = _merged(each, await _ask(client, each.source))
            except WaterflowError as error:
                if server_catalog:
                    raise
                if not isinstance(error, ServerUnavailable):
                    report(f"the server's catalog was not asked: {error.message}", "--no-server-catalog does not try")
                break
    return checked


async def _ask(client: AsyncClient, source: Source) -> ValidateResponse:
    return await client.validate(source.text, filename=source.name, files=source.files)


def _merged(checked: Checked, answer: ValidateResponse) -> Checked:
    import msgspec

    from .._language import parse_diagnostics

    diagnostics = parse_diagnostics(answer.diagnostics)
    return msgspec.structs.replace(checked, diagnostics=diagnostics, plan=checked.plan if answer.valid else None)


def _write(checked: list[Checked], format: str) -> None:
    from waterflow_dsl import render_github, render_json, render_sarif

    if format == "text":
        for each in checked:
            _write_text(each)
        return
    diagnostics: list[Diagnostic] = [found for each in checked for found in each.diagnostics]
    render = {"json": render_json, "sarif": render_sarif, "github": render_github}[format]
    click.echo(render(diagnostics), nl=False)


def _write_text(checked: Checked) -> None:
    from .._console import has_colour
    from .._language import rendered

    colour = has_colour(sys.stdout)
    if checked.diagnostics:
        click.echo(rendered(checked.diagnostics, checked.source, colour=colour), color=colour)
    if checked.plan is not None:
        click.echo(f"{checked.source.name}: valid")
