"""Roll-over: a job whose history has grown long goes on in a new run of its workflow, where nothing of it is under way.

What runs the job *rests* where nothing is lost when it stops existing: before a step, in a sleep, while it waits for
people or for its branches. Once everything rests and the history is long, the workflow continues as new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from temporalio import workflow

PATIENCE = 30.0
"""Seconds that branches wait before their next step for one that is in the middle of a long one."""

STEPS_A_TASK = 250
"""Steps that may begin in one workflow task: nodes without an agent take no time, and a task of 2 s is an error."""

HARD_LIMIT = 40_000
"""Events after which they wait as long as it takes: Temporal ends a workflow at 51,200."""


class RollOver:
    """When to roll over. ``bound`` is the number of events that a history may have; 0 = it never rolls over."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._next = bound
        self._postponed = False
        self._awake = 1  # what runs the job, its branches included, and does not rest
        self._task = 0  # the workflow task, by the length of its history
        self._begun = 0  # steps begun in it

    @property
    def bounded(self) -> bool:
        """Whether it ever rolls over; inputs from before there were roll-overs do not."""
        return self._bound > 0

    @property
    def wanted(self) -> bool:
        """Whether the history is long enough."""
        if not self.bounded:
            return False
        info = workflow.info()
        if info.get_current_history_length() >= self._next:
            return True
        return info.is_continue_as_new_suggested() and not self._postponed

    @property
    def ready(self) -> bool:
        """Whether it can be now."""
        return self._awake == 0 and self.wanted

    @contextmanager
    def resting(self) -> Generator[None]:
        """Inside, whoever runs the job waits for something that the next run of the workflow can wait for as well."""
        self._awake -= 1
        try:
            yield
        finally:
            self._awake += 1

    @contextmanager
    def branch(self) -> Generator[None]:
        """Inside, one more runs beside the one that started it, who rests until its branches have ended."""
        self._awake += 1
        try:
            yield
        finally:
            self._awake -= 1

    async def passed(self) -> None:
        """Before something starts: when a roll-over is due, wait for it."""
        if self.bounded and self._crowded():
            await asyncio.sleep(0.001)
        if not self.wanted:
            return
        with self.resting():
            patient = self._awake > 0 and workflow.info().get_current_history_length() < HARD_LIMIT
            try:
                await workflow.wait_condition(lambda: not self.wanted, timeout=PATIENCE if patient else None)
            except TimeoutError:
                self.postpone()

    def _crowded(self) -> bool:
        """Whether too much has begun in this workflow task already."""
        task = workflow.info().get_current_history_length()
        self._begun = self._begun + 1 if task == self._task else 1
        self._task = task
        return self._begun > STEPS_A_TASK

    def postpone(self) -> None:
        """Not now, but after another quarter of the bound."""
        self._postponed = True
        self._next = workflow.info().get_current_history_length() + max(self._bound // 4, 1)
