"""Runs as a service: submit, look at and control them."""

from ._control import Approval
from ._errors import (
    AnswerRefused,
    IdempotencyConflict,
    NothingToRetry,
    NothingWaits,
    RunClosed,
    RunError,
    RunNotEnded,
    RunNotFound,
)
from ._service import Runs
from ._submission import Submission

__all__ = [
    "AnswerRefused",
    "Approval",
    "IdempotencyConflict",
    "NothingToRetry",
    "NothingWaits",
    "RunClosed",
    "RunError",
    "RunNotEnded",
    "RunNotFound",
    "Runs",
    "Submission",
]
