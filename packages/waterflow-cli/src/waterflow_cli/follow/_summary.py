"""What is said of a run when it has ended."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from waterflow_sdk.wire import RunState

from .._console import clean, make_console
from .._format import between, colour, error_text, mark
from .._output import Cell, make_table, print_table
from ._failures import failures


def write_summary(run: RunState, url: str = "") -> None:
    """A table of the job instances, the outputs, the result in one line and the address."""
    from rich.text import Text

    console = make_console()
    rows: list[list[Cell]] = [
        [
            job.instance if "/" in job.id else job.id,  # of a called workflow: which call it is a part of
            job.agent.name if job.agent else "",
            (f"{mark(job.state)} {job.state.value}", colour(job.state)),
            between(job.started, job.ended),
            error_text(job.error, job.reason),
        ]
        for job in run.jobs
    ]
    click.echo()
    if rows:
        print_table(console, make_table(["JOB", "HOST", "STATE", "DURATION", "ERROR"], rows))
    for line in failures(run, tail=False):
        click.echo(clean(line, colour=False))
    for title, outputs in _outputs(run):
        _write_outputs(title, outputs)
    click.echo()
    reason = error_text(run.error, run.reason)
    took = between(run.started or run.submitted, run.ended)
    result = Text.assemble(
        f"run {run.id} ({run.name}) ended: ", (run.state.value, f"bold {colour(run.state)}"), f" after {took}"
    )
    console.print(result + Text(f": {clean(reason, colour=False)}" if reason else ""))
    if url:
        click.echo(url)


def _outputs(run: RunState) -> list[tuple[str, dict[str, Any]]]:
    """The outputs of the run, else those of the jobs that have only one instance: what came out in the end."""
    if run.outputs:
        return [("outputs", run.outputs)]
    ids = [job.id for job in run.jobs]
    return [(f"outputs of {job.id}", job.outputs) for job in run.jobs if job.outputs and ids.count(job.id) == 1]


def _write_outputs(title: str, outputs: dict[str, Any]) -> None:
    click.echo(f"\n{title}:")
    for name, value in outputs.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        lines = [clean(line, colour=False) for line in text.rstrip("\n").split("\n")]
        if len(lines) == 1:
            click.echo(f"  {name}: {lines[0]}")
        else:
            click.echo(f"  {name}:")
            click.echo("\n".join(f"    {line}".rstrip() for line in lines))
