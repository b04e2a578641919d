"""What a retry keeps of a run and what it runs again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from waterflow_dsl.plan import Plan
from waterflow_sdk.wire import JobState, RetryRequest, RunState, State, StepState

from ..engine._wire import ResumePoint
from ..engine.expansion import label
from ._errors import NothingToRetry
from ._retry_called import StaleBelow

_BROKEN = frozenset({State.FAILED, State.TIMED_OUT, State.CANCELLED})


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """``kept`` results by instance; ``resume`` are the instances that go on in their middle, each with the run that its
    steps ran in. ``before`` are the paths of the steps that they may keep, in order; None = all that are done.
    """

    kept: dict[str, JobState] = {}
    resume: dict[str, str] = {}
    before: list[str] | None = None


def plan_retry(plan: Plan, run: RunState, request: RetryRequest, called: Mapping[str, Plan] | None = None) -> Retry:
    """Decide instance by instance; raises NothingToRetry. What needs something that runs again runs again too.

    ``called`` are the plans of the workflows that the run could call, by key.
    """
    if request.scope == "all":
        return Retry()
    first = _first(plan, run, request)
    stale = _needing(plan, first)
    below = StaleBelow(plan, called or {}, run, _BROKEN, _needing)
    kept: dict[str, JobState] = {}
    resume: dict[str, str] = {}
    for job in run.jobs:
        root = job.id.partition("/")[0]  # of a job of a called workflow, the one that calls it
        if root in stale or job in below:
            continue
        if _stays(job, request, about=root in first):
            kept[job.instance] = msgspec.structs.replace(job, steps=[], kept_from=job.kept_from or run.id)
        elif _goes_on(job, request) and (request.scope != "step" or root in first):
            resume[job.instance] = job.kept_from or run.id
    before = _steps_before(plan, run, request) if request.scope == "step" else None
    if before is not None and not resume:
        raise NothingToRetry(f"no step of job {next(iter(first))} ran on an agent; ask for the scope `job`")
    return Retry(kept=kept, resume=resume, before=before)


def trimmed(points: Mapping[str, ResumePoint | None], before: Sequence[str], step: str) -> dict[str, ResumePoint]:
    """Where instances go on that may keep no more than the steps ``before``; one that stopped earlier goes on there.

    Raises NothingToRetry where a host is away, or no instance got as far as the step.
    """
    away = [name for name, point in points.items() if point is None]
    if away:
        raise NothingToRetry(
            f"{', '.join(away)} cannot go on at {step}: what its steps left is gone, or its host is away"
        )
    found = {name: _trim(point, set(before)) for name, point in points.items() if point is not None}
    if not any(len(point.steps) == len(before) for point in found.values()):
        raise NothingToRetry(f"no instance got as far as {step}: a step before it did not succeed")
    return found


def _trim(point: ResumePoint, before: set[str]) -> ResumePoint:
    steps = [step for step in point.steps if step.path in before]
    ids = {step.id for step in _all(steps)}
    contexts = {name: context for name, context in point.contexts.items() if name in ids}
    return msgspec.structs.replace(point, steps=steps, contexts=contexts)


def _all(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _all(step.steps)


def _stays(job: JobState, request: RetryRequest, *, about: bool) -> bool:
    """Whether the result of an instance is kept."""
    if about and request.scope in ("job", "step"):
        return False
    if request.scope == "failed-hosts" and not about:
        return job.state.ended
    return job.state is State.SUCCESS


def _goes_on(job: JobState, request: RetryRequest) -> bool:
    """Whether an instance that is not kept goes on in its middle."""
    if job.gate or job.agent is None or job.started is None:  # its host was away, or it never had one
        return False
    return request.scope == "step" or (request.scope in ("failed", "failed-hosts") and job.state in _BROKEN)


def _first(plan: Plan, run: RunState, request: RetryRequest) -> set[str]:
    """The jobs that the retry is about."""
    if request.scope == "job":
        return {_known(plan, run, request.job or "")}
    if request.scope == "step":
        return {_known(plan, run, (request.step or "").partition(".")[0])}
    broken = [job for job in run.jobs if job.state in _BROKEN]
    if not broken:
        raise NothingToRetry(f"nothing in run {run.id} failed; to run it all again ask for the scope `all`")
    if request.scope == "failed-hosts":
        broken = [job for job in broken if _is_host(job) or job.gate]
        if not any(_is_host(job) for job in broken):
            raise NothingToRetry(f"no host of run {run.id} failed: what failed does not run on several hosts")
    return {job.id.partition("/")[0] for job in broken}


def _known(plan: Plan, run: RunState, name: str) -> str:
    names = [job.id for job in plan.jobs]
    if name not in names:
        raise NothingToRetry(f"run {run.id} has no job {name!r}; it has {', '.join(names)}")
    return name


def _is_host(job: JobState) -> bool:
    """Whether the instance is that of one host among others: its name ends in the host's."""
    if job.agent is None or job.gate:
        return False
    parts = job.instance.rpartition("[")[2].removesuffix("]").partition("#")[0]
    return "[" in job.instance and parts.rpartition(",")[2] == label(job.agent.name)


def _steps_before(plan: Plan, run: RunState, request: RetryRequest) -> list[str]:
    """The paths of the steps before the one that is asked for; raises NothingToRetry."""
    job_id, _, name = (request.step or "").partition(".")
    job = plan.job(job_id)
    for place, step in enumerate(job.steps):
        if name in (step.id, step.path) and name:
            return [earlier.path for earlier in job.steps[:place]]
    known = ", ".join(f"{job_id}.{step.id or step.path}" for step in job.steps)
    raise NothingToRetry(f"job {job_id} of run {run.id} has no step {name!r} of its own; it has {known}")


def _needing(plan: Plan, jobs: set[str]) -> set[str]:
    """All jobs that need one of these, at any distance."""
    found: set[str] = set()
    grown = True
    while grown:
        more = {job.id for job in plan.jobs if not found.union(jobs).isdisjoint(job.needs)}
        grown = not more <= found
        found |= more
    return found
