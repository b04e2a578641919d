"""Runs as a service: submit, look at and control them."""

from ._approvals import Approval
from ._as_of import as_of
from ._editing import RunEdits
from ._errors import (
    AnswerRefused,
    IdempotencyConflict,
    InvalidAnswer,
    NothingToEdit,
    NothingToRetry,
    NothingWaits,
    PlanUnreadable,
    RunClosed,
    RunCrowded,
    RunError,
    RunNotEnded,
    RunNotFound,
)
from ._events import events_of
from ._follow import EventBatch, EventFollower, InvalidEventCursor
from ._listing import RunQuery
from ._plans import read_plan
from ._service import Runs
from ._submission import Submission
from ._watch import RunWatch

__all__ = [
    "AnswerRefused",
    "Approval",
    "EventBatch",
    "EventFollower",
    "IdempotencyConflict",
    "InvalidAnswer",
    "InvalidEventCursor",
    "NothingToEdit",
    "NothingToRetry",
    "NothingWaits",
    "PlanUnreadable",
    "RunClosed",
    "RunCrowded",
    "RunEdits",
    "RunError",
    "RunNotEnded",
    "RunNotFound",
    "RunQuery",
    "RunWatch",
    "Runs",
    "Submission",
    "as_of",
    "events_of",
    "read_plan",
]
