"""What can go wrong with a run that is named."""

from __future__ import annotations

from .._errors import ServerError


class InvalidAnswer(ServerError):
    """An approval asks for other inputs; ``details["errors"]`` say which."""

    code = "invalid-inputs"


class RunError(Exception):
    """Base of what can go wrong with a run that is named. ``code`` is stable."""

    code = "run"


class RunNotFound(RunError):
    """There is no run with that id (or it is past retention)."""

    code = "run-not-found"


class InvalidConcurrency(RunError):
    """The concurrency group of the file cannot be told with these values."""

    code = "invalid-inputs"


class RunClosed(RunError):
    """The run has ended: nothing can be done to it any more."""

    code = "run-closed"


class RunCrowded(RunError):
    """So many events were sent to the run that more would end it."""

    code = "run-crowded"


class RunNotEnded(RunError):
    """The run still runs: it cannot be retried."""

    code = "run-not-ended"


class NothingToEdit(RunError):
    """The run has succeeded: there is nothing left of it to go on with."""

    code = "nothing-to-edit"


class NothingToRetry(RunError):
    """The run has nothing of what was asked for."""

    code = "nothing-to-retry"


class NothingWaits(RunError):
    """No approval waits in the run, or not the one that was named."""

    code = "nothing-waits"


class AnswerRefused(RunError):
    """The approval does not take this answer from this person."""

    code = "answer-refused"


class IdempotencyConflict(RunError):
    """The idempotency key was used before for another submission."""

    code = "idempotency-conflict"


class PlanUnreadable(RunError):
    """The plan of the run is of a newer version of the server."""

    code = "plan-version"


def closed(run_id: str) -> RunClosed:
    """The error for a run that has ended."""
    return RunClosed(f"run {run_id} has ended; nothing can be done to it any more")
