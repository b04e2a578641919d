"""Approvals: what a run asks, shown, and prompted for on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from waterflow_sdk.wire import ApprovalInput, ApprovalState, RunState, State, StepState

from ._errors import CliError
from ._format import moment


def waiting(run: RunState) -> dict[str, ApprovalState]:
    """What waits in a run, by the name that ``--step`` takes."""
    found: dict[str, ApprovalState] = {}
    for job in run.jobs:
        asked = [job.approval] if job.approval and job.state is State.WAITING else []
        asked += [step.approval for step in _steps(job.steps) if step.approval and step.state is State.WAITING]
        found |= {f"{job.instance}/{each.path}": each for each in asked if each.answer is None}
    return found


def lines(name: str, asked: ApprovalState) -> Iterator[str]:
    """What is asked, in words."""
    yield f"{name}: {asked.message}"
    yield f"  asked since {moment(asked.since)}" + (f", until {moment(asked.deadline)}" if asked.deadline else "")
    if asked.approvers:
        yield f"  approvers: {', '.join(asked.approvers)}"
    for key, declared in (asked.inputs or {}).items():
        yield f"  --input {key}: {_described(declared)}"


def complete(asked: ApprovalState, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs with those that are missing asked for on a terminal. Raises :class:`CliError` elsewhere."""
    declared = asked.inputs or {}
    missing = [name for name, each in declared.items() if each.required and each.default is None and name not in inputs]
    if missing and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CliError(f"the approval asks for {', '.join(missing)}", " ".join(f"--input {name}=…" for name in missing))
    return {**inputs, **{name: _prompt(name, declared[name]) for name in missing}}


def _prompt(name: str, declared: ApprovalInput) -> Any:
    kind = click.Choice([str(option) for option in declared.options]) if declared.options else None
    return click.prompt(declared.description or name, type=kind, err=True)


def _described(declared: ApprovalInput) -> str:
    words = [declared.type]
    if declared.options:
        words.append(f"one of {', '.join(str(option) for option in declared.options)}")
    if declared.default is not None:
        words.append(f"default {declared.default}")
    elif declared.required:
        words.append("required")
    return ", ".join(words) + (f" ({declared.description})" if declared.description else "")


def _steps(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _steps(step.steps)
