"""The jobs of a run: which may start, what the run became of them."""

from __future__ import annotations

from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import ErrorInfo, JobState, RolloutState, State

from ..fanout._job_record import FAILED, JobRecord


class Graph:
    """All jobs of a run by id, in file order."""

    def __init__(self, jobs: tuple[JobPlan, ...]) -> None:
        self.jobs = {job.id: JobRecord(plan=job) for job in jobs}

    def states(self) -> list[JobState]:
        """For the state tree: all instances, in file order; a job that waits for others says for which."""
        return [self._told(job, state) for job in self.jobs.values() for state in job.states()]

    def _told(self, job: JobRecord, state: JobState) -> JobState:
        if state.state is not State.PENDING or job.instances:
            return state
        open_needs = [name for name in job.plan.needs if not self.jobs[name].state.ended]
        return msgspec.structs.replace(state, reason=f"needs {', '.join(open_needs)}") if open_needs else state

    def needs_context(self, job: JobPlan) -> dict[str, Any]:
        """The ``needs`` context: direct needs only, as on GitHub."""
        return {name: self.jobs[name].context() for name in job.needs}

    def needs_ended(self, job: JobPlan) -> bool:
        """Whether the job may be looked at."""
        return all(self.jobs[name].state.ended for name in job.needs)

    def needs_succeeded(self, job: JobPlan) -> bool:
        """``success()`` for a job: every need succeeded; a skipped one skips those after it."""
        return all(self.jobs[name].result == "success" for name in job.needs)

    def ancestor_failed(self, job: JobPlan) -> bool:
        """``failure()`` for a job: any job that it needs, at any distance, failed."""
        seen: set[str] = set()
        waiting = list(job.needs)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if self.jobs[name].result == "failure":
                return True
            waiting.extend(self.jobs[name].plan.needs)
        return False

    def waiting(self) -> JobState | None:
        """The first instance that waits for somebody or something outside."""
        instances = (instance for job in self.jobs.values() for instance in (*job.gates, *job.instances))
        return next((instance for instance in instances if instance.state is State.WAITING), None)

    def rollouts(self) -> list[RolloutState]:
        """How the rollouts stand that have begun."""
        return [job.rollout.state() for job in self.jobs.values() if job.rollout is not None]

    def shards(self) -> list[str]:
        """The shards that run now."""
        return [shard for job in self.jobs.values() for shard in job.shards]

    def run_state(self) -> State:
        """What the run became, from its jobs."""
        states = {job.state for job in self.jobs.values() if not job.tolerated}
        for state in (State.FAILED, State.TIMED_OUT, State.CANCELLED):
            if state in states:
                return State.FAILED if state is State.TIMED_OUT else state
        return State.SUCCESS

    def first_error(self) -> ErrorInfo | None:
        """What the run shows as its error: that of the first job that made it fail, and of its first such instance."""
        failed = (job for job in self.jobs.values() if job.state in FAILED and not job.tolerated)
        job = next(failed, None)
        if job is None:
            return None
        for instance in job.instances:
            if instance.state in FAILED:
                inner = instance.error.message if instance.error else instance.reason
                code = instance.error.code if instance.error else instance.state.value
                return ErrorInfo(code=code, message=f"job {instance.instance}: {inner or instance.state.value}")
        return ErrorInfo(code="job-failed", message=f"job {job.plan.id}: {job.reason}")
