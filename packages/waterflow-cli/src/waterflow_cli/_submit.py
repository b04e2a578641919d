"""Submitting a file that was checked."""

from __future__ import annotations

import click
import msgspec

from waterflow_dsl.plan import Plan
from waterflow_sdk.client import AsyncClient, InvalidWorkflow, Run

from ._errors import report
from ._language import invalid, parse_diagnostics, require_valid, show
from ._source import Source, read_source
from ._values import Values, given_values


class Job(msgspec.Struct, frozen=True):
    """What is to be run: the file, its plan, and what the run gets."""

    source: Source
    plan: Plan
    values: Values


def prepare(file: str) -> Job:
    """Read and check the file and the values. Raises ``CliError``."""
    source = read_source(file)
    values = given_values()
    return Job(source, require_valid(source, values.vars), values)


async def submit(client: AsyncClient, job: Job) -> Run:
    """Submit; what only the server can know (nodes, groups, agents) is shown like what is found here."""
    values = job.values
    try:
        run = await client.submit(
            job.source.text,
            filename=job.source.name,
            vars=values.vars,
            inputs=values.inputs,
            secrets=values.secrets,
            labels=values.labels,
        )
    except InvalidWorkflow as error:
        try:
            diagnostics = parse_diagnostics(error.diagnostics)
        except msgspec.ValidationError:
            raise error from None  # a server with diagnostics of another kind: its words, not ours
        show(diagnostics, job.source)
        raise invalid(job.source.name, diagnostics) from None
    return run


def say_submitted(run: Run) -> None:
    """The id of the run, on stderr: stdout is for output."""
    if not run.created:
        report(f"run {run.id} exists already: the same idempotency key was used before")
    click.echo(f"run {run.id}  {run.url}".rstrip(), err=True)
