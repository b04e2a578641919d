"""Errors of the command line: a message, a hint, an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ._exit_codes import ExitCode

if TYPE_CHECKING:
    from waterflow_sdk.client import WaterflowError


class CliError(click.ClickException):
    """What the user has to know: one message and, where there is one, the remedy."""

    def __init__(self, message: str, hint: str = "", code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def report(message: str, hint: str = "") -> None:
    """Write an error on stderr: ``error: …`` and ``hint: …``."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True, color=_colour())
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True, color=_colour())


def _colour() -> bool:
    from ._console import has_colour

    return has_colour(sys.stderr)


def of_client(error: WaterflowError) -> CliError:
    """The same error, with the exit code that stands for it."""
    from waterflow_sdk import client

    codes = (
        (client.NotFound, ExitCode.NOT_FOUND),
        (client.Unauthorized, ExitCode.DENIED),
        (client.Forbidden, ExitCode.DENIED),
        (client.Conflict, ExitCode.CONFLICT),
        (client.InvalidRequest, ExitCode.USAGE),
        (client.InvalidSettings, ExitCode.USAGE),
        (client.WorkflowTimeout, ExitCode.TIMED_OUT),
    )
    code = next((code for kind, code in codes if isinstance(error, kind)), ExitCode.UNAVAILABLE)
    message = error.message
    if error.request_id and isinstance(error, client.ServerFault | client.ServerUnavailable):
        message += f" (request id {error.request_id})"
    return CliError(message, error.remedy, code)
