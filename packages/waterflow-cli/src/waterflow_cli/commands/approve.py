"""``waterflow approve`` and ``waterflow reject``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._asked import complete, lines, waiting
from .._options import call, server_options
from .._runs import on_run
from .._values import pairs

if TYPE_CHECKING:
    from waterflow_sdk.client import Run
    from waterflow_sdk.wire import ApprovalState

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
        help="A value that the approval asks for. NAME:=JSON gives a number, list or mapping.",
    ),
    click.option(
        "--step",
        metavar="JOB/PATH",
        help="Where several approvals wait: the job instance and the path of the step, or `environment`.",
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
@click.option("--list", "only_list", is_flag=True, help="Only show what the run asks.")
@server_options
def approve(id: str, by: str, comment: str, inputs: dict[str, Any], step: str | None, only_list: bool) -> None:
    """Approve: let the step or job of the run ID go on that waits for approval.

    What is asked is shown first; on a terminal missing inputs are asked for. Names are compared with those that the
    workflow lists as approvers, and not proved.
    """
    asked = call(lambda client: on_run(client, id, _waiting))
    found = {name: each for name, each in asked.items() if step in (None, name)}
    for name, each in found.items():
        for line in lines(name, each):
            click.echo(line, err=not only_list)
    if only_list:
        return
    if len(found) == 1:
        inputs = complete(next(iter(found.values())), inputs)
    call(lambda client: on_run(client, id, lambda run: run.approve(by, comment, inputs, step)))
    click.echo(f"run {id}: approved{_named(by)}")


async def _waiting(run: Run) -> dict[str, ApprovalState]:
    return waiting(await run.status("full"))


@click.command()
@click.argument("id")
@_answer_options
@server_options
def reject(id: str, by: str, comment: str, inputs: dict[str, Any], step: str | None) -> None:
    """Reject: fail the step or job of the run ID that waits for approval."""
    call(lambda client: on_run(client, id, lambda run: run.reject(by, comment, inputs, step)))
    click.echo(f"run {id}: rejected{_named(by)}")


def _named(by: str) -> str:
    return f" by {by}" if by else ""
