"""A retry within called workflows: what needs something there that runs again runs again too, `always()` or not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from waterflow_dsl import called_key
from waterflow_dsl.plan import Plan
from waterflow_sdk.wire import JobState, RunState, State

Needing = Callable[[Plan, set[str]], set[str]]


class StaleBelow:
    """The jobs of a run's called workflows whose results do not count any more, because a job that they need failed.

    ``needing`` gives all jobs of a plan that need some of it, at any distance.
    """

    def __init__(
        self, plan: Plan, called: Mapping[str, Plan], run: RunState, broken: Collection[State], needing: Needing
    ) -> None:
        self._stale: set[tuple[str, str]] = set()
        for job in run.jobs:
            path, _, name = job.id.rpartition("/")
            below = _plan_at(plan, called, path) if path and job.state in broken else None
            if below is not None:
                caller = job.instance.rpartition("/")[0]
                self._stale |= {(caller, other) for other in needing(below, {name})}

    def __contains__(self, job: JobState) -> bool:
        """Whether the instance is one of these, or a part of one."""
        names, instances = job.id.split("/"), job.instance.split("/")
        return any(("/".join(instances[:level]), names[level]) in self._stale for level in range(1, len(names)))


def _plan_at(plan: Plan, called: Mapping[str, Plan], path: str) -> Plan | None:
    """The plan of the workflow that the job ``a/b`` calls; None where only the run knew which one."""
    key, found = "", plan
    for name in path.split("/"):
        call = next((job.call for job in found.jobs if job.id == name), None)
        key = called_key(key, str(call.workflow)) if call is not None else None
        if key is None or key not in called:
            return None
        found = called[key]
    return found
