"""The attempts of one step on an agent: the task is built once per attempt, sent, and retried as the policy says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_sdk.wire import AgentRef, AttemptKey, NodeOutcome, NodeTask, State

from ._delivery import AgentLostError, deliver, unreached
from ._job_context import JobContext
from ._policy import INTERRUPTED, KILL_GRACE, AttemptPolicy
from ._records import AttemptRecord, StepRecord

Reassign = Callable[[], Awaitable[AgentRef | None]]
"""Claims another agent for the job; None when the run was stopped meanwhile."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A step with nothing left to evaluate."""

    path: str
    name: str
    node: str
    version: str | None
    inputs: dict[str, Any]
    env: dict[str, str]


class Attempts:
    """Runs the attempts of one resolved step, recording each."""

    def __init__(self, job: JobContext, policy: AttemptPolicy, record: StepRecord, reassign: Reassign | None) -> None:
        self._job = job
        self._policy = policy
        self._record = record
        self._reassign = reassign

    async def run(self, step: Resolved) -> NodeOutcome:
        """The last attempt's outcome. Attempts that were interrupted or lost do not use up ``max-attempts``."""
        spent = 0
        while True:
            attempt = AttemptRecord(number=len(self._record.attempts) + 1, agent=self._job.agent)
            self._record.attempts.append(attempt)
            outcome = await self._attempt(step, attempt)
            if outcome.state is State.SUCCESS or self._job.stop.cancelled:
                return outcome
            if await self._continue_elsewhere(outcome):
                continue
            spent += 1
            code = outcome.error.code if outcome.error else ""
            if not self._policy.retry.worth_another(code, outcome.exit_code, spent):
                return outcome
            self._record.reason = f"attempt {attempt.number} failed; the next one follows"
            if not await self._job.stop.sleep(self._policy.retry.delay(spent)):
                return outcome

    async def _attempt(self, step: Resolved, attempt: AttemptRecord) -> NodeOutcome:
        attempt.state, attempt.started = State.RUNNING, workflow.now()
        task = self._task(step, attempt)
        try:
            outcome = await deliver(task, self._policy, attempt, self._job.stop)
        except AgentLostError as error:
            outcome = unreached(task, State.FAILED, "agent-lost", str(error))
        _note(attempt, outcome)
        return outcome

    async def _continue_elsewhere(self, outcome: NodeOutcome) -> bool:
        """After a loss under ``reassign``: whether there is an agent to go on with at no cost."""
        code = outcome.error.code if outcome.error else ""
        if self._policy.loss.policy != "reassign":
            return False
        if code in INTERRUPTED:  # its own agent ended it and is there again
            return True
        if code != "agent-lost" or self._reassign is None:
            return False
        self._record.reason = f"{outcome.error.message if outcome.error else code}; looking for another agent"
        return await self._reassign() is not None

    def _task(self, step: Resolved, attempt: AttemptRecord) -> NodeTask:
        job, given = self._job, self._job.given
        if job.agent is None:
            raise RuntimeError(f"step {step.path} has no agent")
        return NodeTask(
            key=AttemptKey(run=given.run.id, job=given.instance, step=step.path, attempt=attempt.number),
            node=step.node,
            version=step.version,
            agent=job.agent,
            run=given.run,
            step_name=step.name,
            inputs=step.inputs,
            env={**job.env, **step.env},
            paths=job.paths,
            secrets=given.secrets,
            masks=job.masks,
            timeout=self._policy.timeout,
            kill_grace=KILL_GRACE,
            fence_after=self._policy.fence_after,
        )


def _note(attempt: AttemptRecord, outcome: NodeOutcome) -> None:
    attempt.state = outcome.state
    attempt.agent = outcome.agent
    attempt.started, attempt.ended = _times(attempt.started or workflow.now(), outcome)
    attempt.exit_code = outcome.exit_code
    attempt.error = outcome.error
    attempt.log = outcome.log
    attempt.reason = ""


def _times(sent: datetime, outcome: NodeOutcome) -> tuple[datetime, datetime]:
    """When the attempt ran, by the agent's clock where it can be right; one that is off keeps only how long it took."""
    now = workflow.now()
    if sent <= outcome.started <= outcome.ended <= now:
        return outcome.started, outcome.ended
    return min(max(sent, now - (outcome.ended - outcome.started)), now), now
