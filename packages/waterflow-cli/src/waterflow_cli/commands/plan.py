"""``waterflow plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._errors import CliError
from .._exit_codes import ExitCode
from .._options import call, format_option, server_options
from .._output import write_data
from .._values import value_options

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient
    from waterflow_sdk.wire import PlanView


@click.command()
@click.argument("file", required=False)
@value_options
@click.option("--run", "run_id", metavar="ID", help="The plan of this run in place of a FILE, on the agents of now.")
@click.option("--against", metavar="ID", help="Compare with this run: what it would keep, and what would run again.")
@format_option
@server_options
def plan(file: str | None, run_id: str | None, against: str | None, format: str) -> int:
    """Show what a run of the workflow FILE (`-`: standard input) would do now. Nothing is started.

    The exit code is 2 when a submit would be refused as things are.
    """
    if (file is None) == (run_id is None):
        raise CliError("give a FILE, or a run with --run")
    if run_id is not None and against is not None:
        raise CliError("--run and --against exclude each other: --against compares a FILE with a run")
    view = call(lambda client: _of_run(client, run_id or "")) if file is None else _of_file(file, against)
    if not write_data(view, format):
        _show(view, wide=format == "wide")
    return ExitCode.OK if view.valid else ExitCode.USAGE


def _show(view: PlanView, *, wide: bool) -> None:
    from ..plans import show_plan, show_report

    show_plan(view, wide=wide)
    if view.differs is not None:
        click.echo()
        show_report(view.differs)


async def _of_run(client: AsyncClient, run_id: str) -> PlanView:
    from .._runs import on_run

    return await on_run(client, run_id, lambda run: run.plan())


def _of_file(file: str, against: str | None) -> PlanView:
    from .._errors import report
    from .._language import check_source, parse_diagnostics, show
    from .._plans import fetch_plan
    from .._submit import prepare

    job = prepare(file)
    view = call(lambda client: fetch_plan(client, job, against=against))
    known = check_source(job.source, job.values.vars).diagnostics  # these were shown when the file was read
    show([each for each in parse_diagnostics(view.diagnostics) if each not in known], job.source)
    for problem in view.problems:
        report(str(problem.get("message")))
    return view
