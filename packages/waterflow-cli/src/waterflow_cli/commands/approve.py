"""``waterflow approve`` and ``waterflow reject``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .._options import call, server_options
from .._runs import on_run
from .._values import pairs

Command = TypeVar("Command", bound=Callable[..., Any])


def _inputs(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    return pairs("--input", given)


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""  # a user without an entry and without variables, as in some containers: an answer without a name


_OPTIONS = (
    click.option("--by", metavar="NAME", default=_login_name, help="Who answers. Default: your login name."),
    click.option("--comment", default="", help="Why; shown with the step."),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_inputs,
        help="An output of the step, for later ones. NAME:=JSON gives a number, list or mapping.",
    ),
    click.option(
        "--step", metavar="JOB/PATH", help="Where several approvals wait: the job instance and the path of the step."
    ),
)


def _answer_options(command: Command) -> Command:
    """What both answers take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("id")
@_answer_options
@server_options
def approve(id: str, by: str, comment: str, inputs: dict[str, Any], step: str | None) -> None:
    """Approve: let the step of the run ID go on that waits for approval."""
    call(lambda client: on_run(client, id, lambda run: run.approve(by, comment, inputs, step)))
    click.echo(f"run {id}: approved{_named(by)}")


@click.command()
@click.argument("id")
@_answer_options
@server_options
def reject(id: str, by: str, comment: str, inputs: dict[str, Any], step: str | None) -> None:
    """Reject: fail the step of the run ID that waits for approval."""
    call(lambda client: on_run(client, id, lambda run: run.reject(by, comment, inputs, step)))
    click.echo(f"run {id}: rejected{_named(by)}")


def _named(by: str) -> str:
    return f" by {by}" if by else ""
