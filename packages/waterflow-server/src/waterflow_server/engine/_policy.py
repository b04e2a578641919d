"""Where a step's policies become numbers: retry, time-outs, what happens when its agent is lost."""

from __future__ import annotations

import math
from datetime import timedelta

import msgspec

from waterflow_dsl.plan import AgentLossPlan, RetryPlan, StepPlan

from ._values import Values

HEARTBEAT_TIMEOUT = 30.0
"""Seconds without a heartbeat after which Temporal gives an attempt up as lost."""

KILL_GRACE = 10.0
"""Seconds between TERM and KILL when a step is ended."""

CONTACT_LAG = 5.0
"""Seconds that an agent may take longer than the server to notice that it is cut off (measured; see the facts)."""

NO_TIMEOUT = timedelta(days=365)
"""Temporal wants a start-to-close time-out; a step without one may run as long as it likes."""

INTERRUPTED = frozenset({"fenced", "agent-restarted"})
"""Error codes of attempts whose processes the agent itself has ended: safely dead, through no fault of the step."""

AGENT_STOPPED = "agent-stopped"
"""Error code of an attempt that its agent ended because it was stopped: as safely dead, but the agent is gone."""


class LossPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """``reassign``, ``wait`` or ``fail``, and after how many seconds the agent counts as lost for good."""

    policy: str
    wait: float


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often, how soon and after what something that failed is tried again. Intervals are seconds."""

    max_attempts: int
    initial_interval: float
    maximum_interval: float
    backoff: float
    on_exit_codes: tuple[int, ...]
    non_retryable: tuple[str, ...]

    def delay(self, spent: int) -> float:
        """Seconds before the next attempt, after ``spent`` attempts."""
        try:
            grown = self.backoff ** (spent - 1)
        except OverflowError:  # beyond any maximum
            grown = math.inf
        return min(self.initial_interval * grown, self.maximum_interval) if self.initial_interval else 0.0

    def worth_another(self, code: str, exit_code: int | None, spent: int) -> bool:
        """Whether a failure with this error code and exit code is followed by another attempt."""
        if spent >= self.max_attempts or code in self.non_retryable:
            return False
        return not self.on_exit_codes or exit_code in self.on_exit_codes


class AttemptPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """All that governs the attempts of one step, in seconds."""

    retry: RetryPolicy
    timeout: float | None
    heartbeat: float
    loss: LossPolicy

    @property
    def start_to_close(self) -> timedelta:
        """The agent enforces ``timeout`` itself; Temporal's own limit is the net below it."""
        if self.timeout is None:
            return NO_TIMEOUT
        return timedelta(seconds=self.timeout + KILL_GRACE + HEARTBEAT_TIMEOUT)

    @property
    def fence_after(self) -> float | None:
        """Only an attempt that may be reassigned has to end itself when it loses contact."""
        return self.heartbeat if self.loss.policy == "reassign" else None


RETRY_SAFE = RetryPlan(max_attempts=3)
"""What a retry-safe node gets where nobody wrote a policy."""


def attempt_policy(step: StepPlan, loss: AgentLossPlan, values: Values, *, retry_safe: bool) -> AttemptPolicy:
    """Resolve the policy of a step at its start; raises StepFailure for a value that makes no sense."""
    return AttemptPolicy(
        retry=retry_policy(step.retry or (RETRY_SAFE if retry_safe else RetryPlan()), values),
        timeout=values.seconds(step.timeout, "timeout"),
        heartbeat=values.seconds(step.heartbeat_timeout, "heartbeat-timeout") or HEARTBEAT_TIMEOUT,
        loss=_loss_policy(loss, values, retry_safe=retry_safe),
    )


def retry_policy(retry: RetryPlan, values: Values) -> RetryPolicy:
    """Resolve a ``retry`` of a step or a job; raises StepFailure for a value that makes no sense."""
    return RetryPolicy(
        max_attempts=values.count(retry.max_attempts, "retry.max-attempts"),
        initial_interval=values.seconds(retry.initial_interval, "retry.initial-interval") or 0.0,
        maximum_interval=values.seconds(retry.maximum_interval, "retry.maximum-interval") or 0.0,
        backoff=values.number(retry.backoff_coefficient, "retry.backoff-coefficient", least=1.0),
        on_exit_codes=retry.on_exit_codes,
        non_retryable=retry.non_retryable,
    )


def _loss_policy(loss: AgentLossPlan, values: Values, *, retry_safe: bool) -> LossPolicy:
    policy = loss.policy or ("reassign" if retry_safe else "fail")
    wait = values.seconds(loss.wait, "agent-loss.for") or 0.0
    if policy == "reassign":  # the lost agent must have ended the attempt before anybody else starts it
        wait = max(wait, CONTACT_LAG + KILL_GRACE)
    return LossPolicy(policy=policy, wait=wait)
