"""The jobs of a run: which may start, what they became, and what ``needs`` shows of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from waterflow_dsl.plan import JobPlan
from waterflow_sdk.wire import JobState, State


@dataclass(slots=True)
class JobRecord:
    """One job of the plan. ``instances`` are in stable order; ``finished`` names them in the order they ended."""

    plan: JobPlan
    state: State = State.PENDING
    reason: str = ""
    ended: datetime | None = None
    name: str = ""
    instances: list[JobState] = field(default_factory=list[JobState])
    finished: list[str] = field(default_factory=list[str])
    tolerated: bool = False

    @property
    def result(self) -> str:
        """``needs.<job>.result``; a failure that continue-on-error tolerates counts as success."""
        return "success" if self.tolerated else self.state.result

    def skip(self, state: State, reason: str, now: datetime) -> None:
        """End without any instance."""
        self.state, self.reason, self.ended = state, reason, now

    def update(self, instance: JobState) -> None:
        """Put in what an instance has become."""
        for index, known in enumerate(self.instances):
            if known.instance == instance.instance:
                self.instances[index] = instance
                break
        if instance.state.ended:
            self.finished.append(instance.instance)

    def note(self, name: str, state: State, reason: str) -> None:
        """An instance says that it waits, or goes on."""
        for index, known in enumerate(self.instances):
            if known.instance == name and not known.state.ended:
                self.instances[index] = msgspec.structs.replace(known, state=state, reason=reason)

    def conclude(self) -> None:
        """The job's state follows from its instances: the worst of them."""
        states = {instance.state for instance in self.instances}
        for state in (State.FAILED, State.TIMED_OUT, State.CANCELLED, State.SUCCESS):
            if state in states:
                self.state = state
                return
        self.state = State.SKIPPED

    def context(self) -> dict[str, Any]:
        """``needs.<job>``: outputs of the instance that finished last, results of all in stable order."""
        by_name = {instance.instance: instance for instance in self.instances}
        last = by_name.get(self.finished[-1]) if self.finished else None
        return {
            "result": self.result,
            "outputs": last.outputs if last else {},
            "results": [_result(instance) for instance in self.instances],
        }

    def states(self) -> list[JobState]:
        """For the state tree: the instances, or the job itself while it has none."""
        if self.instances:
            return list(self.instances)
        return [
            JobState(
                id=self.plan.id,
                instance=self.plan.id,
                name=self.name or self.plan.id,
                state=self.state,
                reason=self.reason,
                ended=self.ended,
            )
        ]


def _result(instance: JobState) -> dict[str, Any]:
    return {
        "agent": instance.agent.name if instance.agent else None,
        "result": instance.state.result,
        "outputs": instance.outputs,
        "error": instance.error.message if instance.error else None,
        "matrix": instance.matrix,
        "item": instance.item,
    }


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
        instances = (instance for job in self.jobs.values() for instance in job.instances)
        return next((instance for instance in instances if instance.state is State.WAITING), None)

    def run_state(self) -> State:
        """What the run became, from its jobs."""
        states = {job.state for job in self.jobs.values() if not job.tolerated}
        for state in (State.FAILED, State.TIMED_OUT, State.CANCELLED):
            if state in states:
                return State.FAILED if state is State.TIMED_OUT else state
        return State.SUCCESS
