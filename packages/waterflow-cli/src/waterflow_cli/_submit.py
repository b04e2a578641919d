"""Submitting a file that was checked."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypedDict

import click
import msgspec

from waterflow_dsl.plan import Plan
from waterflow_sdk.client import AsyncClient, InvalidWorkflow, Run, WaterflowError

from ._called import read_workflow
from ._errors import CliError, report
from ._language import invalid, parse_diagnostics, require_valid, show
from ._source import Source
from ._values import Values, given_values


class Given(TypedDict):
    """What the server is given beside the text, for a submit, a plan and an edit alike."""

    filename: str
    files: Mapping[str, str]
    vars: Mapping[str, Any]
    inputs: Mapping[str, Any]
    secrets: Mapping[str, str]


class Job(msgspec.Struct, frozen=True):
    """What is to be run: the file, its plan, those that it calls, and what the run gets."""

    source: Source
    plan: Plan
    values: Values
    called: Mapping[str, Plan] = {}

    @property
    def given(self) -> Given:
        """What the server is given with the text of the file."""
        source, values = self.source, self.values
        return Given(
            filename=source.name, files=source.files, vars=values.vars, inputs=values.inputs, secrets=values.secrets
        )


def prepare(file: str) -> Job:
    """Read and check the file and the values. Raises ``CliError``."""
    source = read_workflow(file)
    values = given_values()
    checked = require_valid(source, values.vars)
    assert checked.plan is not None
    return Job(source, checked.plan, values, checked.called)


async def submit(client: AsyncClient, job: Job, run_at: datetime | None = None) -> Run:
    """Submit; what only the server can know (nodes, groups, agents) is shown like what is found here."""
    with refusals(job.source):
        return await client.submit(job.source.text, **job.given, labels=job.values.labels, run_at=run_at)


@contextmanager
def refusals(source: Source) -> Generator[None]:
    """What the server finds wrong with the file is shown like what is found here."""
    try:
        yield
    except InvalidWorkflow as error:
        raise _refused(error, source) from None


def _refused(error: InvalidWorkflow, source: Source) -> WaterflowError | CliError:
    """The error to raise for a file that the server refused; what it found is shown like what is found here."""
    try:
        diagnostics = parse_diagnostics(error.diagnostics)
    except msgspec.ValidationError:
        return error  # a server with diagnostics of another kind: its words, not ours
    show(diagnostics, source)
    return invalid(source.name, diagnostics)


def say_submitted(run: Run) -> None:
    """The id of the run, on stderr: stdout is for output."""
    if not run.created:
        report(f"run {run.id} exists already: the same idempotency key was used before")
    click.echo(f"run {run.id}  {run.url}".rstrip(), err=True)
