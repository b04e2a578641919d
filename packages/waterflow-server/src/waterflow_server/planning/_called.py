"""The placement check of the workflows that a file calls: what they get only a run knows, so that nothing but what
stands in them is judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from waterflow_dsl import CheckedFiles, Diagnostic, called_key
from waterflow_dsl.plan import Plan

from ..catalog import Snapshot
from ._outlook import Given, Outlook
from ._placement import check_placement


def check_called(
    checked: CheckedFiles, snapshot: Snapshot, given: Given, *, later: bool = False
) -> tuple[Diagnostic, ...]:
    """What the agents that are there say against the called workflows; ``given`` and ``later`` are of the run."""
    if checked.plan is None:
        return ()
    found: list[Diagnostic] = []
    for key, sure in _reached(checked.plan, checked.called, given).items():
        found += check_placement(checked.results[key], snapshot, Given(open=True), later=later or not sure)
    return tuple(found)


def _reached(plan: Plan, called: Mapping[str, Plan], given: Given) -> dict[str, bool]:
    """The called workflows, each with whether one of its callers is sure to start."""
    reached: dict[str, bool] = {}
    pending = deque([("", plan, given, True)])
    while pending:
        key, current, known, sure = pending.popleft()
        for below, starts in _calls(key, current, known):
            starts = starts and sure
            if below in called and (below not in reached or (starts and not reached[below])):
                reached[below] = starts
                pending.append((below, called[below], Given(open=True), starts))
    return reached


def _calls(key: str, plan: Plan, given: Given) -> Iterator[tuple[str, bool]]:
    """The workflows that a plan's jobs call unless their condition is false, and whether the job is sure to start."""
    callers = [job for job in plan.jobs if job.call is not None]
    outlook = Outlook(plan, given) if callers else None
    for job in callers:
        below = called_key(key, str(job.call.workflow)) if job.call else None
        if outlook and below and outlook.conditions[job.id].decision != "false":
            yield below, outlook.starts[job.id]
