"""The workflow file, checked here before anything is sent: diagnostics, and what a run of it needs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ._console import has_colour
from ._errors import CliError
from ._source import Source

if TYPE_CHECKING:
    from waterflow_dsl import Diagnostic
    from waterflow_dsl.plan import Plan

ALL_SERVERS = "all-servers"
LOCAL_GROUP = "local"


class Checked(msgspec.Struct, frozen=True):
    """A file and what the language says of it. ``plan`` is None when there is an error."""

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    plan: Plan | None


def check_source(source: Source, variables: Collection[str] = ()) -> Checked:
    """Check a file; ``variables`` are the names of variables that the run gets."""
    from waterflow_dsl import check

    result = check(source.text, filename=source.name, variables=variables)
    return Checked(source, result.diagnostics, result.plan)


def require_valid(source: Source, variables: Collection[str]) -> Plan:
    """The plan of a file; its diagnostics go to stderr, and an error among them ends the command."""
    checked = check_source(source, variables)
    show(checked.diagnostics, source)
    if checked.plan is None:
        raise invalid(source.name, checked.diagnostics)
    return checked.plan


def invalid(name: str, diagnostics: Sequence[Diagnostic]) -> CliError:
    """The error for a file with errors."""
    count = sum(each.severity == "error" for each in diagnostics)
    return CliError(f"{name} has {count} error{'' if count == 1 else 's'}; nothing was started")


def parse_diagnostics(found: Sequence[dict[str, Any]]) -> tuple[Diagnostic, ...]:
    """Diagnostics as the server sends them. Raises ``msgspec.ValidationError``."""
    from waterflow_dsl import Diagnostic

    return msgspec.convert(found, tuple[Diagnostic, ...])


def show(diagnostics: Sequence[Diagnostic], source: Source) -> None:
    """Diagnostics on stderr, each with its line of the file."""
    if diagnostics:
        from waterflow_dsl import render_text

        colour = has_colour(sys.stderr)
        click.echo(render_text(diagnostics, source.text, color=colour), err=True, color=colour)


def groups(plan: Plan) -> list[str]:
    """The groups that agents must be in so that every job of the plan finds one; ``local`` is always among them."""
    named = [group for job in plan.jobs for group in job.target.groups]
    return list(dict.fromkeys([LOCAL_GROUP, *(group for group in named if group != ALL_SERVERS)]))


def step_counts(plan: Plan) -> dict[str, int]:
    """The number of steps of each job, blocks counted as one."""
    return {job.id: len(job.steps) for job in plan.jobs}
