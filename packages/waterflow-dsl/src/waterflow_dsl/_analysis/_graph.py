"""`needs`: unknown jobs, a job that needs itself, cycles, jobs that can never run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from waterflow_dsl import model
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._source import Node, Sequence


def check_graph(workflow: model.Workflow, report: Report) -> None:
    """Report what is wrong with the order of the jobs."""
    edges: dict[str, list[str]] = {}
    for job_id, job in workflow.jobs.items():
        edges[job_id] = []
        for index, (need, place) in enumerate(zip(job.needs, _places(job), strict=False)):
            path = f"jobs.{job_id}.needs[{index}]"
            if need == job_id:
                report.add(Code.SELF_NEED, place, f"the job `{job_id}` needs itself", path=path, hint="remove it")
            elif need not in workflow.jobs:
                hint = did_you_mean(report.nearest(need, (name for name in workflow.jobs if name != job_id)))
                known = "jobs: " + ", ".join(islice(workflow.jobs, 8))
                report.add(Code.UNKNOWN_JOB, place, f"there is no job `{need[:60]}`", path=path, hint=hint or known)
            else:
                edges[job_id].append(need)
    _check_cycles(workflow, edges, report)
    _check_unreachable(workflow, edges, report)


def _places(job: model.Job) -> Iterator[Node]:
    written = job.node_of("needs")
    yield from written.items if isinstance(written, Sequence) else [written]


def _check_unreachable(workflow: model.Workflow, edges: dict[str, list[str]], report: Report) -> None:
    """A job that needs one that never runs, and does not ask for it with a status function, never runs either."""
    never = {job_id for job_id, job in workflow.jobs.items() if _condition(job) == "false"}
    for job_id, needs in edges.items():
        blocked = next((need for need in needs if need in never), None)
        if blocked is not None and "(" not in _condition(workflow.jobs[job_id]):
            message = f"the job can never run: it needs `{blocked}`, whose `if` is always false"
            job = workflow.jobs[job_id]
            report.add(Code.UNREACHABLE, job.key("needs"), message, path=f"{job.path}.needs", hint="add `if: always()`")


def _condition(job: model.Job) -> str:
    return (job.if_ or "").strip().removeprefix("${{").removesuffix("}}").strip()


def _check_cycles(workflow: model.Workflow, edges: dict[str, list[str]], report: Report) -> None:
    done: set[str] = set()
    for start in edges:
        cycle = find_cycle(start, edges, done)
        if cycle:
            job = workflow.jobs[cycle[0]]
            message = "these jobs wait for each other: " + " → ".join([*cycle, cycle[0]])
            report.add(
                Code.CYCLE, job.key("needs"), message, path=f"jobs.{cycle[0]}.needs", hint="remove one of the `needs`"
            )


def find_cycle(start: str, edges: dict[str, list[str]], done: set[str]) -> list[str] | None:
    """The first cycle that is reached from a job; jobs looked at are added to ``done``."""
    trail: list[str] = []
    on_trail: set[str] = set()
    pending: list[tuple[str, bool]] = [(start, False)]
    while pending:
        job, leaving = pending.pop()
        if leaving:
            trail.pop()
            on_trail.discard(job)
            continue
        if job in on_trail:
            return trail[trail.index(job) :]
        if job in done:
            continue
        done.add(job)
        trail.append(job)
        on_trail.add(job)
        pending.append((job, True))
        pending.extend((need, False) for need in reversed(edges[job]))
    return None
