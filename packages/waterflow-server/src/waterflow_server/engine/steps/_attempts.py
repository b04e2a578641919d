"""The attempts of one step on an agent: the task is built once per attempt, sent, and retried as the policy says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from temporalio import workflow

from waterflow_sdk.wire import AgentRef, AttemptKey, NodeOutcome, NodeTask, State

from .._policy import AGENT_STOPPED, INTERRUPTED, KILL_GRACE
from .._progress import Progress
from ..memory._records import AttemptRecord, StepRecord
from ._context import JobContext
from ._delivery import AgentLostError, deliver, unreached

Reassign = Callable[[], Awaitable[AgentRef | None]]
"""Claims another agent for the job; None when the run was stopped meanwhile."""


class Attempts:
    """Runs the attempts of one resolved step, recording each."""

    def __init__(self, job: JobContext, progress: Progress, record: StepRecord, reassign: Reassign | None) -> None:
        if progress.task is None or progress.policy is None:
            raise RuntimeError(f"step {record.path} is not resolved")
        self._job = job
        self._step = progress.task
        self._policy = progress.policy
        self._progress = progress
        self._record = record
        self._reassign = reassign

    async def run(self) -> NodeOutcome:
        """The last attempt's outcome. Attempts that were interrupted or lost do not use up ``max-attempts``."""
        progress = self._progress
        while True:
            if progress.outcome is None:
                await self._job.roll.passed()
                progress.outcome, progress.due = await self._attempt(self._next()), None
            outcome = progress.outcome
            if not await self._again(outcome):
                return outcome
            progress.outcome = None

    async def _again(self, outcome: NodeOutcome) -> bool:
        """Whether another attempt follows, waiting until it is time for it."""
        progress, policy = self._progress, self._policy.retry
        if outcome.state is State.SUCCESS or self._job.stop.cancelled:
            return False
        if progress.due is None:
            if await self._continue_elsewhere(outcome):
                return True
            progress.spent += 1
            code = outcome.error.code if outcome.error else ""
            if not policy.worth_another(code, outcome.exit_code, progress.spent):
                return False
            self._record.reason = f"attempt {len(self._record.attempts)} failed; the next one follows"
            progress.due = workflow.time() + policy.delay(progress.spent)
        return await self._job.sleep_until(progress.due)

    def _next(self) -> AttemptRecord:
        """The next attempt, or the one that was under way at a roll-over."""
        attempts = self._record.attempts
        if not attempts or attempts[-1].state.ended:
            attempts.append(AttemptRecord(number=len(attempts) + 1, agent=self._job.agent))
        return attempts[-1]

    async def _attempt(self, attempt: AttemptRecord) -> NodeOutcome:
        if attempt.started is None:
            attempt.state, attempt.started = State.RUNNING, workflow.now()
        task = self._task(attempt)
        try:
            outcome = await deliver(task, self._policy, attempt, self._progress, self._job)
        except AgentLostError as error:
            outcome = unreached(task, State.FAILED, "agent-lost", str(error))
        self._progress.lost_since = None
        _note(attempt, outcome)
        return outcome

    async def _continue_elsewhere(self, outcome: NodeOutcome) -> bool:
        """After a loss under ``reassign``: whether there is an agent to go on with at no cost."""
        code = outcome.error.code if outcome.error else ""
        if self._policy.loss.policy != "reassign":
            return False
        if code in INTERRUPTED:  # its own agent ended it and is there again
            return True
        stopped = code == AGENT_STOPPED and workflow.patched("agent-stopped-goes-elsewhere")
        if not (stopped or code == "agent-lost") or self._reassign is None:
            return False
        self._record.reason = f"{outcome.error.message if outcome.error else code}; looking for another agent"
        return await self._reassign() is not None

    def _task(self, attempt: AttemptRecord) -> NodeTask:
        job, given, step = self._job, self._job.given, self._step
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
            needed_secrets=job.needed_secrets,
            run_as=step.run_as,
            memory=step.memory,
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
