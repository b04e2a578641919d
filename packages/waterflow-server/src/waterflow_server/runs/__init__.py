"""Runs as a service: submit, look at and control them."""

from ._control import Approval
from ._errors import AnswerRefused, IdempotencyConflict, NothingWaits, RunClosed, RunError, RunNotFound
from ._service import Runs
from ._submission import Submission

__all__ = [
    "AnswerRefused",
    "Approval",
    "IdempotencyConflict",
    "NothingWaits",
    "RunClosed",
    "RunError",
    "RunNotFound",
    "Runs",
    "Submission",
]
