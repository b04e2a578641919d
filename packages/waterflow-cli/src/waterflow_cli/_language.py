"""The workflow file, checked here before anything is sent: diagnostics, and what a run of it needs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    called: Mapping[str, Plan] = {}


def check_source(source: Source, variables: Collection[str] = ()) -> Checked:
    """Check a file with those that it calls; ``variables`` are the names of variables that the run gets."""
    from waterflow_dsl import check_files

    result = check_files(source.text, filename=source.name, files=source.files, variables=variables, stored=False)
    return Checked(source, result.diagnostics, result.plan, result.called)


def require_valid(source: Source, variables: Collection[str]) -> Checked:
    """A file that has a plan; its diagnostics go to stderr, and an error among them ends the command."""
    checked = check_source(source, variables)
    show(checked.diagnostics, source)
    if checked.plan is None:
        raise invalid(source.name, checked.diagnostics)
    return checked


def invalid(name: str, diagnostics: Sequence[Diagnostic]) -> CliError:
    """The error for a file with errors."""
    count = sum(each.severity == "error" for each in diagnostics)
    return CliError(f"{name} has {count} error{'' if count == 1 else 's'}; nothing was started")


def parse_diagnostics(found: Sequence[dict[str, Any]]) -> tuple[Diagnostic, ...]:
    """Diagnostics as the server sends them. Raises ``msgspec.ValidationError``."""
    from waterflow_dsl import Diagnostic

    return msgspec.convert(found, tuple[Diagnostic, ...])


def show(diagnostics: Sequence[Diagnostic], source: Source) -> None:
    """Diagnostics on stderr, each with its line of the file that it is in."""
    if diagnostics:
        colour = has_colour(sys.stderr)
        click.echo(rendered(diagnostics, source, colour=colour), err=True, color=colour)


def rendered(diagnostics: Sequence[Diagnostic], source: Source, *, colour: bool) -> str:
    """Diagnostics as text, each with its line of the file that it is in."""
    from waterflow_dsl import render_text

    parts: list[str] = []
    for file in dict.fromkeys(each.file for each in diagnostics):
        found = [each for each in diagnostics if each.file == file]
        parts.append(render_text(found, source.text_of(file), color=colour))
    return "\n".join(parts)


def groups(plans: Iterable[Plan]) -> list[str]:
    """The groups that agents must be in so that every job of the plans finds one; ``local`` is always among them."""
    named = [group for plan in plans for job in plan.jobs if job.call is None for group in job.target.groups]
    return list(dict.fromkeys([LOCAL_GROUP, *(group for group in named if group != ALL_SERVERS)]))


def step_counts(plan: Plan, called: Mapping[str, Plan], key: str = "", prefix: str = "") -> dict[str, int]:
    """The number of steps of each job, blocks counted as one; jobs of called workflows by their place in the run."""
    from waterflow_dsl import called_key

    found: dict[str, int] = {}
    for job in plan.jobs:
        found[prefix + job.id] = len(job.steps)
        below = called_key(key, str(job.call.workflow)) if job.call else None
        if below is not None and below in called:
            found |= step_counts(called[below], called, below, f"{prefix}{job.id}/")
    return found
