"""The environment that a job deploys to: before the job is placed, those who may approve it are asked.

Source: GitHub's "Managing environments for deployment": a job that references a protected environment waits for
approval before it starts, and its environment's address is evaluated when its steps have ended.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from waterflow_dsl.plan import EnvironmentPlan
from waterflow_sdk.wire import ApprovalState, EnvironmentState, State

from .._values import StepFailure
from ..nodes._approvals import ENVIRONMENT_PATH, answered, asks, rejection, seconds_left
from ..steps._context import JobContext, Scope


class Environment:
    """The environment of one job instance. ``state`` and ``approval`` are None where the file says nothing of them."""

    def __init__(self, plan: EnvironmentPlan | None, job: JobContext) -> None:
        self.state: EnvironmentState | None = None
        self.approval: ApprovalState | None = None
        self._plan = plan
        self._job = job
        self._seconds: float | None = None

    @property
    def waiting(self) -> str:
        """What it waits for, in words; empty when it does not."""
        asked = self.approval
        if asked is None or asked.answer is not None or self._job.inbox.closed(ENVIRONMENT_PATH):
            return ""
        return f"approval: {asked.message}"

    async def admit(self) -> None:
        """Name it, and wait for the approval that it needs. Raises StepFailure: rejected, or nobody in time."""
        plan = self._plan
        if plan is None:
            return
        values = self._job.values(Scope())
        name = values.text(plan.name, "environment.name")
        self.state = EnvironmentState(name=name)
        if plan.approval and name:
            self._seconds = seconds = values.seconds(plan.timeout, "environment.approval.timeout")
            approvers: list[Any] = list(plan.approvers)
            self.approval = asks(ENVIRONMENT_PATH, f"deploy to {name}", approvers, {}, workflow.now(), seconds)
            await self._ask(self.approval)

    async def _ask(self, asked: ApprovalState) -> None:
        job = self._job
        job.inbox.ask(asked.path, asked.approvers)
        await job.tell(State.WAITING, self.waiting)
        try:
            await workflow.wait_condition(
                lambda: job.inbox.answer_for(asked.path) is not None or job.stop.cancelled,
                timeout=seconds_left(asked, workflow.now()),
            )
        except TimeoutError:
            waited = f"{self._seconds:g} s"
            raise StepFailure("approval-timeout", f"nobody answered within {waited}: {asked.message}") from None
        finally:
            job.inbox.close(asked.path)
            await job.tell(State.QUEUED, "")
        answer = job.inbox.take_answer(asked.path)
        if answer is not None:
            self.approval = answered(asked, answer)
            if not answer.approved:
                raise rejection(answer)

    def show(self, scope: Scope) -> None:
        """Its address, now that the steps have ended. Raises StepFailure."""
        if self._plan is not None and self._plan.url is not None and self.state is not None:
            url = self._job.mask(self._job.values(scope).text(self._plan.url, "environment.url"))
            self.state = EnvironmentState(name=self.state.name, url=url)
