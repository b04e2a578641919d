"""What a retry keeps of a run and what it runs again."""

from __future__ import annotations

import msgspec

from waterflow_dsl.plan import Plan
from waterflow_sdk.wire import JobState, RetryRequest, RunState, State

from ._errors import NothingToRetry

_BROKEN = frozenset({State.FAILED, State.TIMED_OUT, State.CANCELLED})


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """``kept`` results by instance; ``resume`` names the instances that go on in their middle."""

    kept: dict[str, JobState]
    resume: list[str]


def plan_retry(plan: Plan, run: RunState, request: RetryRequest) -> Retry:
    """Decide instance by instance; raises NothingToRetry. What needs something that runs again runs again too."""
    if request.scope == "all":
        return Retry(kept={}, resume=[])
    first = _first(plan, run, request)
    stale = _needing(plan, first)
    kept: dict[str, JobState] = {}
    resume: list[str] = []
    for job in run.jobs:
        if job.id in stale or (job.id in first and request.scope == "job"):
            continue
        if job.state is State.SUCCESS:
            kept[job.instance] = msgspec.structs.replace(job, steps=[], kept_from=job.kept_from or run.id)
        elif job.state in _BROKEN and request.scope == "failed" and job.agent is not None:
            resume.append(job.instance)
    return Retry(kept=kept, resume=resume)


def _first(plan: Plan, run: RunState, request: RetryRequest) -> set[str]:
    """The jobs that the retry is about."""
    if request.scope == "job":
        names = [job.id for job in plan.jobs]
        if request.job not in names:
            raise NothingToRetry(f"run {run.id} has no job {request.job!r}; it has {', '.join(names)}")
        return {request.job}
    broken = {job.id for job in run.jobs if job.state in _BROKEN}
    if not broken:
        raise NothingToRetry(f"nothing in run {run.id} failed; to run it all again ask for the scope `all`")
    return broken


def _needing(plan: Plan, jobs: set[str]) -> set[str]:
    """All jobs that need one of these, at any distance."""
    found: set[str] = set()
    grown = True
    while grown:
        more = {job.id for job in plan.jobs if not found.union(jobs).isdisjoint(job.needs)}
        grown = not more <= found
        found |= more
    return found
