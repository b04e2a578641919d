"""Why the agent ends an attempt that has not ended by itself, and what its outcome then says."""

from __future__ import annotations

from enum import StrEnum

from waterflow_sdk.wire import ErrorInfo, State


class StopReason(StrEnum):
    """Also the code of the outcome's error; the last one has the code of the one before it."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"
    FENCED = "fenced"
    ABANDONED = "abandoned"
    AGENT_STOPPED = "agent-stopped"
    AGENT_RESTARTED = "agent-restarted"
    KEEPER_LOST = "keeper-lost"


_STATES = {StopReason.CANCELLED: State.CANCELLED, StopReason.TIMED_OUT: State.TIMED_OUT}

_RETRYABLE = frozenset(
    {
        *(StopReason.TIMED_OUT, StopReason.FENCED, StopReason.AGENT_STOPPED),
        *(StopReason.AGENT_RESTARTED, StopReason.KEEPER_LOST),
    }
)


def stopped_state(reason: StopReason) -> State:
    """State of an attempt that was ended for this reason."""
    return _STATES.get(reason, State.FAILED)


def stopped_error(reason: StopReason, seconds: float | None = None, whose: str = "") -> ErrorInfo:
    """The error of an attempt that was ended for this reason; ``seconds`` is the limit behind it, if there is one.

    ``whose`` a time-out is, where it is not the step's own.
    """
    limit = f"{seconds:g} s" if seconds is not None else "its limit"
    time_out = f"{limit} ({whose})" if whose else limit
    messages = {
        StopReason.CANCELLED: "the step was cancelled",
        StopReason.TIMED_OUT: f"the step did not end within {time_out} and was killed",
        StopReason.FENCED: f"the agent had no contact to Temporal for {limit}, so it ended the step",
        StopReason.ABANDONED: "the run has ended without this step, so the agent ended it",
        StopReason.AGENT_STOPPED: f"the agent was stopped, and the step did not end within the grace period of {limit}",
        StopReason.AGENT_RESTARTED: "the agent was restarted while the step ran, and ended what was left of it",
        StopReason.KEEPER_LOST: "the agent lost the process that kept those of the step, so it ended the step",
    }
    code = StopReason.AGENT_RESTARTED if reason is StopReason.KEEPER_LOST else reason
    return ErrorInfo(code=code.value, message=messages[reason], retryable=reason in _RETRYABLE)
