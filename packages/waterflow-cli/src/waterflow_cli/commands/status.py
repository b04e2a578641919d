"""``waterflow status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from waterflow_sdk.wire import JobState, RunState, StepState

from .._format import between, colour, error_text, mark, moment
from .._grid import grid, hosts_of, rollout_lines
from .._options import call, format_option, same_server, server_options
from .._output import Cell, make_table, print_table, write_data
from .._runs import on_run

if TYPE_CHECKING:
    from waterflow_sdk.client import AsyncClient


@click.command()
@click.argument("id")
@click.option("--at", metavar="TIME", help="As it was then: a date and time, a time of day, or so long ago: 10m.")
@format_option
@server_options
def status(id: str, at: str | None, format: str) -> None:
    """Show the run ID: its jobs, their hosts and steps. -o wide shows attempts and times too."""
    from .._past import parse_moment

    moment = parse_moment("--at", at) if at else None

    async def fetch(client: AsyncClient) -> tuple[RunState, str]:
        return await on_run(client, id, lambda run: run.status("full", moment)), same_server(client)

    state, options = call(fetch)
    if not write_data(state, format):
        _show(state, options, wide=format == "wide")


def _show(state: RunState, options: str, *, wide: bool) -> None:
    from rich.text import Text

    from .._console import clean, make_console
    from ..follow._failures import failures
    from ..follow._waiting import waits

    console = make_console()
    console.print(Text.assemble((state.title or state.name, "bold"), "  ", state.id))
    console.print(Text.assemble("state      ", (state.state.value, colour(state.state)), *_reason(state)))
    console.print(f"submitted  {moment(state.submitted)}" + (f" by {state.started_by}" if state.started_by else ""))
    if state.started is not None:
        console.print(f"duration   {between(state.started, state.ended)}")
    if state.link:
        console.print(f"retry of   {state.link}")
    if state.retries:
        console.print(f"retries    {', '.join(state.retries)}")
    for line in waits(state, options):
        console.print(Text(line, style="yellow"))
    headers = ["JOB / STEP", "HOST", "STATE", "DURATION", *(["ATTEMPTS", "STARTED"] if wide else []), "ERROR"]
    grids = {} if wide else hosts_of(state)
    listed = [job for job in state.jobs if job.gate or job not in grids.get(job.id, [])]
    if listed:
        console.print()
        print_table(console, make_table(headers, [row for job in listed for row in _job(job, wide)]))
    for id, jobs in grids.items():
        console.print(Text(f"\n{id}", style="bold"))
        for line in (line for rollout in state.rollouts if rollout.job == id for line in rollout_lines(rollout)):
            console.print(Text(clean(line, colour=False)))
        print_table(console, make_table(*grid(jobs)))
    for number, line in enumerate(failures(state, tail=True)):
        console.print(
            Text(clean(line if number else f"\n{line}", colour=False)), style="red" if line[:1] != " " else ""
        )


def _reason(state: RunState) -> list[str]:
    text = error_text(state.error, state.reason)
    return [f": {text}"] if text else []


def _job(job: JobState, wide: bool) -> Iterator[list[Cell]]:
    more: list[Cell] = ["", moment(job.started)] if wide else []
    host = job.agent.name if job.agent else ""
    yield [
        (job.instance, "bold"),
        host,
        (f"{mark(job.state)} {job.state.value}", colour(job.state)),
        between(job.started, job.ended),
        *more,
        error_text(job.error, job.reason) or (f"kept from {job.kept_from}" if job.kept_from else ""),
    ]
    for step in job.steps:
        yield from _step(step, 1, wide)


def _step(step: StepState, depth: int, wide: bool) -> Iterator[list[Cell]]:
    more: list[Cell] = [str(len(step.attempts) or ""), moment(step.started)] if wide else []
    yield [
        "  " * depth + (step.name or step.path),
        "",
        (f"{mark(step.state)} {step.state.value}", colour(step.state)),
        between(step.started, step.ended),
        *more,
        error_text(step.error, step.reason),
    ]
    for child in step.steps:
        yield from _step(child, depth + 1, wide)
