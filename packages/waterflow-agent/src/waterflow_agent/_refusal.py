"""Why a hello was not accepted: for ever, because another agent has the id, or for want of somebody who answers."""

from __future__ import annotations

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

_FATAL = frozenset({"WireVersion", "BadHello"})
_TAKEN = "AgentTaken"


def is_final(error: Exception) -> bool:
    """Whether this agent, as it is, will never be accepted."""
    return _type(error) in _FATAL


def is_taken(error: Exception) -> bool:
    """Whether another agent with the same id holds the lease."""
    return _type(error) == _TAKEN


def why(error: Exception) -> str:
    """In words, with what to do."""
    if is_taken(error):
        return f"{_message(error)} Until then this agent waits, and gets no work."
    if isinstance(error, WorkflowUpdateFailedError):
        return f"the server refuses this agent for now: {_message(error)}"
    if isinstance(error, RPCError) and error.status is RPCStatusCode.UNAVAILABLE:
        return f"Temporal does not answer: {error.message}; trying again for ever"
    if isinstance(error, RPCError) and error.status not in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
        return f"Temporal refuses the hello: {error.status.name}: {error.message}; trying again for ever"
    return "no Waterflow server answers on Temporal (is waterflow-server running?); trying again for ever"


def _type(error: Exception) -> str | None:
    cause = error.cause if isinstance(error, WorkflowUpdateFailedError) else None
    return cause.type if isinstance(cause, ApplicationError) else None


def _message(error: Exception) -> str:
    cause = error.cause if isinstance(error, WorkflowUpdateFailedError) else error
    return str(getattr(cause, "message", cause))
