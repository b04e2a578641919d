"""``waterflow event``."""

from __future__ import annotations

from typing import Any

import click

from .._errors import CliError
from .._options import call, server_options
from .._runs import on_run


@click.command()
@click.argument("id")
@click.argument("name")
@click.option("--payload", metavar="JSON", help="What the step that waits gets as its output `payload`.")
@server_options
def event(id: str, name: str, payload: str | None) -> None:
    """Send the event NAME to the run ID; a step that waits for it, now or later, takes it."""
    value = None if payload is None else _json(payload)
    call(lambda client: on_run(client, id, lambda run: run.send_event(name, value)))
    click.echo(f"run {id} has got the event {name}")


def _json(text: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise CliError(f"--payload is not JSON: {error}", """write text as '"text"'""") from None
