"""``waterflow key``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import click

from waterflow_sdk.wire import KeyInfo, KeyScope

from .._format import moment
from .._groups import LazyGroup
from .._options import call, format_option, server_options
from .._output import Cell, write_data, write_table


@click.group(
    cls=LazyGroup,
    prefix="key.",
    lazy={
        "create": ("commands.key:create", "Make an API key."),
        "list": ("commands.key:list_keys", "List the API keys."),
        "revoke": ("commands.key:revoke", "Take an API key out of use."),
    },
)
def key() -> None:
    """API keys of the server: who may do what."""


def _moment_of(_context: click.Context, _parameter: click.Parameter, given: str | None) -> datetime | None:
    """A duration from now, or a time."""
    if given is None:
        return None
    from waterflow_dsl import parse_duration

    try:
        return datetime.now(UTC) + timedelta(seconds=parse_duration(given))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(given).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{given!r} is neither a duration such as 90d nor a time such as 2027-01-31") from None


@click.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(get_args(KeyScope)),
    help="What it is good for: look; also start and control runs; also change agents, groups and keys; or send logs "
    "of steps and nothing else. May be repeated.",
)
@click.option(
    "--expires",
    metavar="TIME",
    callback=_moment_of,
    help="When it ends: `90d` from now, or `2027-01-31`; else never.",
)
@click.option("--agent", metavar="AGENT", help="With scope agent: the name of the only agent that can use it.")
@format_option
@server_options
def create(name: str, scopes: tuple[KeyScope, ...], expires: datetime | None, agent: str | None, format: str) -> None:
    """Make an API key; NAME is who uses it.

    The key itself is the only thing on standard output, and it is shown this once.
    """
    made = call(lambda client: client.keys.create(name, scopes, expires=expires, agent=agent))
    if write_data(made, format):
        return
    until = f" until {moment(made.info.expires)}" if made.info.expires else ""
    click.echo(f"key {made.info.id} is good for {', '.join(made.info.scopes)}{until}; it is not shown again:", err=True)
    click.echo(made.key)


@click.command("list")
@format_option
@server_options
def list_keys(format: str) -> None:
    """List the API keys, oldest first; those that ended stay for 30 days."""
    keys = call(lambda client: client.keys.list())
    if write_data(keys, format):
        return
    wide = format == "wide"
    headers = ["ID", "NAME", "SCOPES", "STATE", "CREATED", "EXPIRES", *(["BY", "AGENT", "KEY"] if wide else [])]
    write_table(headers, [_row(each, wide) for each in keys], "there are no API keys")


def _row(info: KeyInfo, wide: bool) -> list[Cell]:
    more: list[Cell] = [info.created_by, info.agent or "", f"wf_{info.id}_…{info.hint}"] if wide else []
    return [
        info.id,
        info.name,
        ", ".join(info.scopes),
        _state(info),
        moment(info.created),
        moment(info.expires) or "never",
        *more,
    ]


def _state(info: KeyInfo) -> Cell:
    if info.revoked is not None:
        return ("revoked", "red")
    if info.expires is not None and info.expires <= datetime.now(UTC):
        return ("expired", "yellow")
    return ("in use", "green")


@click.command("revoke")
@click.argument("key")
@server_options
def revoke(key: str) -> None:
    """Take KEY, by its id or its name, out of use at once."""
    gone = call(lambda client: client.keys.revoke(key))
    click.echo(f"key {gone.id} ({gone.name}) is revoked")
