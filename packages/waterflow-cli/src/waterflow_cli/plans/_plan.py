"""A plan as a table of its jobs, and what else there is to know before the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from waterflow_sdk.wire import AgentStatus, PlannedCondition, PlannedHost, PlannedJob, PlanView

from .._console import clean, make_console
from .._output import Cell, make_table, print_table

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 6
"""Names that a cell of the table lists."""


def show_plan(view: PlanView, *, wide: bool = False) -> None:
    """Write a plan. ``wide`` lists all hosts and instances."""
    console = make_console()
    console.print(clean(view.title or view.name, colour=False), style="bold")
    for line in _facts(view):
        console.print(clean(line, colour=False))
    console.print()
    headers = ["JOB", "RUNS", "WHERE", "INSTANCES", "STEPS"]
    print_table(console, make_table(headers, [_row(job, None if wide else _SHOWN) for job in view.jobs]))
    _details(console, view)


def runs(condition: PlannedCondition) -> Cell:
    """Whether a job or step runs, in words."""
    if condition.decision == "true":
        return "yes", "green"
    if condition.decision == "false":
        return "no", "dim"
    if condition.expected is None:
        return f"depends on {condition.why}", "yellow"
    return f"{'yes' if condition.expected else 'no'}, but depends on {condition.why}"


def _facts(view: PlanView) -> Iterator[str]:
    more = " or more" if view.at_least else ""
    yield f"{_count(view.instances, 'job instance')}, {_count(view.steps, 'step')}{more}"
    if view.critical_path:
        yield f"longest path: {' → '.join(view.critical_path)}"
    if view.concurrency is not None:
        known = "" if view.concurrency.known else ", known when the run starts"
        yield f"concurrency group: {view.concurrency.group} ({view.concurrency.on_conflict}{known})"


def _row(job: PlannedJob, most: int | None) -> list[Cell]:
    return [job.name, runs(job.condition), _where(job, most), _instances(job, most), str(job.steps)]


def _where(job: PlannedJob, most: int | None) -> str:
    if job.calls:
        return f"calls {job.calls}"
    if not job.hosts:
        return f"{job.target}: nobody" if job.target else ""
    each = "each of " if job.all else "one of " if len(job.hosts) > 1 else ""
    return each + _listed([_host(host) for host in job.hosts], most)


def _host(host: PlannedHost) -> str:
    return host.agent.name if host.status is AgentStatus.ONLINE else f"{host.agent.name} ({host.status.value})"


def _instances(job: PlannedJob, most: int | None) -> str:
    if job.instance_count is None:
        return f"not known: {job.unknown}"
    if job.instance_count == 1 and job.instances and job.instances[0].name == job.id:
        return "1"
    names = [each.name.removeprefix(job.id).strip("[]") for each in job.instances]
    return f"{job.instance_count}: {_listed(names, most)}" if names else str(job.instance_count)


def _details(console: Console, view: PlanView) -> None:
    for job in view.jobs:
        for number, batch in enumerate(job.batches, 1):
            console.print(clean(f"batch {number} of {job.id}: {', '.join(batch)}", colour=False))
        if job.concurrency is not None:
            console.print(clean(f"{job.id} waits for concurrency group {job.concurrency.group}", colour=False))
    for each in view.approvals:
        where = f"{each.job}/{each.step}" if each.step else each.job
        what = each.message or (f"environment {each.environment}" if each.environment else "")
        by = f" by {', '.join(each.approvers)}" if each.approvers else ""
        console.print(clean(f"approval{by} at {where}{f': {what}' if what else ''}", colour=False))
    for each in view.secrets:
        given = "given" if each.given else "required, not given" if each.required else "not given"
        console.print(clean(f"secret {each.name} ({given}): read by {', '.join(each.jobs) or 'nobody'}", colour=False))
    if view.truncated:
        console.print("there are more instances than are listed")


def _listed(names: list[str], most: int | None) -> str:
    if most is None or len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
