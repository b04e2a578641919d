"""``waterflow dry-run``."""

from __future__ import annotations

import click

from .._exit_codes import ExitCode
from .._options import call, format_option, server_options
from .._output import write_data
from .._values import value_options


@click.command("dry-run")
@click.argument("file")
@value_options
@format_option
@server_options
def dry_run(file: str, format: str) -> int:
    """Do everything that `run FILE` (`-`: standard input) does, but run no step.

    What a submit refuses is refused; then the steps of every job instance are shown in order, with their inputs as far
    as they are known. The exit code is 2 when an agent would refuse one of them.
    """
    from .._plans import fetch_plan
    from .._submit import prepare
    from ..plans import show_plan, show_steps

    job = prepare(file)
    view = call(lambda client: fetch_plan(client, job, dry_run=True))
    if write_data(view, format):
        return ExitCode.OK
    show_plan(view, wide=format == "wide")
    return ExitCode.OK if show_steps(view) else ExitCode.USAGE
