"""``waterflow run``."""

from __future__ import annotations

import click

from .._errors import CliError
from .._options import file_option, server_options
from .._values import value_options


@click.command()
@click.argument("file")
@value_options
@click.option("--detach", is_flag=True, help="Return as soon as the run is accepted; its id goes to stdout.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Follow it for at most so long."
)
@click.option("--local", is_flag=True, help="Start Temporal, server and agents for this run alone; nothing stays.")
@click.option("--agents", type=click.IntRange(1, 100), default=1, show_default=True, help="With --local: how many.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="With --local: a group that they join too.")
@click.option("--data-dir", type=click.Path(file_okay=False), help="With --local: keep data and logs there.")
@file_option
@server_options
@click.pass_context
def run(
    ctx: click.Context,
    file: str,
    detach: bool,
    timeout: float | None,
    local: bool,
    agents: int,
    groups: tuple[str, ...],
    data_dir: str | None,
) -> int:
    """Submit the workflow FILE (`-`: standard input) and follow it; the exit code is its result.

    On a terminal each host has a row with its progress, and Ctrl-C asks whether to detach or to cancel. Elsewhere lines
    carry `[job host step]` in front, and Ctrl-C detaches.
    """
    import asyncio

    from .._local import LocalOptions
    from .._session import run_here, run_there
    from .._submit import prepare

    _check_options(ctx, detach=detach, local=local)
    job = prepare(file)
    if local:
        return asyncio.run(run_here(job, LocalOptions(agents, groups, data_dir), timeout))
    return asyncio.run(run_there(job, detach=detach, patience=timeout))


def _check_options(ctx: click.Context, *, detach: bool, local: bool) -> None:
    if local and detach:
        raise CliError("--detach and --local exclude each other: what --local starts ends with the command")
    if local and "waterflow.server" in ctx.meta:
        raise CliError("--server and --local exclude each other: --local starts a server of its own")
    given = [
        f"--{name}"
        for name, parameter in (("agents", "agents"), ("group", "groups"), ("data-dir", "data_dir"))
        if ctx.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE
    ]
    if given and not local:
        raise CliError(f"{given[0]} is for --local only")
