"""``waterflow definition``."""

from __future__ import annotations

from datetime import datetime

import click

from waterflow_sdk.wire import DefinitionInfo

from .._format import moment
from .._groups import LazyGroup
from .._moments import MOMENT
from .._options import call, format_option, server_options
from .._output import write_data, write_table
from .._values import given_values, value_options


@click.group(
    cls=LazyGroup,
    prefix="definition.",
    lazy={
        "list": ("commands.definition:list_definitions", "List the stored workflows."),
        "show": ("commands.definition:show", "Print the text of a version."),
        "versions": ("commands.definition:versions", "List the versions of a definition."),
        "diff": ("commands.definition:diff", "Show what changed between two versions."),
        "activate": ("commands.definition:activate", "Use a version from now on."),
        "rollback": ("commands.definition:rollback", "Use the version before the active one."),
        "enable": ("commands.definition:enable", "Let it run, and its schedules fire."),
        "disable": ("commands.definition:disable", "Let nothing start it."),
        "delete": ("commands.definition:delete", "Forget a definition with its versions."),
        "run": ("commands.definition:run", "Start a run."),
    },
)
def definition() -> None:
    """Workflows that the server keeps, version by version."""


@click.command("list")
@format_option
@server_options
def list_definitions(format: str) -> None:
    """List the stored workflows."""
    found = call(lambda client: client.definitions.list())
    if write_data(found, format):
        return
    headers = ["NAME", "ACTIVE", "LATEST", "ENABLED", "SCHEDULES", "CHANGED", "DESCRIPTION"]
    rows = [
        [
            each.name,
            str(each.active),
            str(each.latest),
            "yes" if each.enabled else "no",
            str(len(each.schedules)),
            moment(each.updated),
            each.description,
        ]
        for each in found
    ]
    write_table(headers, rows, "there are no definitions; `waterflow apply -f FILE` makes one")


@click.command("show")
@click.argument("name")
@click.option("--version", "number", type=click.IntRange(min=1), help="Else the active one.")
@format_option
@server_options
def show(name: str, number: int | None, format: str) -> None:
    """Print the workflow file of the definition NAME."""

    def wanted() -> int:
        return number or call(lambda client: client.definitions.get(name)).active

    version = wanted()
    found = call(lambda client: client.definitions.version(name, version))
    if not write_data(found, format):
        click.echo(found.yaml, nl=not found.yaml.endswith("\n"))


@click.command("versions")
@click.argument("name")
@format_option
@server_options
def versions(name: str, format: str) -> None:
    """List the versions of the definition NAME that are kept, newest first."""
    found = call(lambda client: client.definitions.versions(name))
    if write_data(found, format):
        return
    active = call(lambda client: client.definitions.get(name)).active
    marks = {active: " *"}
    rows = [
        [f"{each.number}{marks.get(each.number, '')}", moment(each.created), each.by, each.digest[:12], each.title]
        for each in found
    ]
    write_table(["VERSION", "CREATED", "BY", "DIGEST", "TITLE"], rows, "there are no versions")


@click.command("diff")
@click.argument("name")
@click.argument("old", type=int)
@click.argument("new", type=int, required=False)
@server_options
def diff(name: str, old: int, new: int | None) -> None:
    """Show what changed in the definition NAME from version OLD to NEW (else the active one)."""
    found = call(lambda client: client.definitions.diff(name, old, new))
    click.echo(found.diff, nl=False)


@click.command("activate")
@click.argument("name")
@click.argument("version", type=int)
@server_options
def activate(name: str, version: int) -> None:
    """Use VERSION of the definition NAME from now on."""
    _say(call(lambda client: client.definitions.activate(name, version)))


@click.command("rollback")
@click.argument("name")
@server_options
def rollback(name: str) -> None:
    """Use the version before the active one."""
    _say(call(lambda client: client.definitions.rollback(name)))


@click.command("enable")
@click.argument("name")
@server_options
def enable(name: str) -> None:
    """Let the definition NAME run, and its schedules fire."""
    call(lambda client: client.definitions.enable(name))
    click.echo(f"definition {name} is enabled")


@click.command("disable")
@click.argument("name")
@server_options
def disable(name: str) -> None:
    """Let nothing start the definition NAME; what runs goes on."""
    call(lambda client: client.definitions.disable(name))
    click.echo(f"definition {name} is disabled")


@click.command("delete")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also when a run of it has not ended, or a schedule uses it.")
@server_options
def delete(name: str, force: bool) -> None:
    """Forget the definition NAME with its versions and its own schedules; its runs go on."""
    call(lambda client: client.definitions.delete(name, force=force))
    click.echo(f"definition {name} is deleted")


@click.command("run")
@click.argument("name")
@click.option("--version", "number", type=click.IntRange(min=1), help="Else the active one.")
@click.option("--at", "run_at", type=MOMENT, metavar="TIME", help="When it starts; else now.")
@value_options
@server_options
def run(name: str, number: int | None, run_at: datetime | None) -> None:
    """Start a run of the definition NAME; its id goes to stdout."""
    values = given_values()
    made = call(
        lambda client: client.definitions.run(
            name,
            vars=values.vars,
            inputs=values.inputs,
            secrets=values.secrets,
            labels=values.labels,
            run_at=run_at,
            version=number,
        )
    )
    click.echo(made.id)


def _say(made: DefinitionInfo) -> None:
    click.echo(f"definition {made.name}: version {made.active} is active")
