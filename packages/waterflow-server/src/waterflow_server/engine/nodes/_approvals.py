"""What an approval asks and what it became, for the state tree. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from waterflow_sdk.wire import ApprovalAnswer, ApprovalInput, ApprovalState

from .._json import is_list, is_mapping
from .._values import StepFailure
from .._wire import Answer

ENVIRONMENT_PATH = "environment"
"""Path of the approval that a job's environment asks for: no step has it."""

MAX_ASKED = 50
"""Inputs of one approval."""

_TYPES = frozenset({"string", "number", "boolean", "choice", "json"})


def asks(path: str, message: str, approvers: Any, inputs: Any, now: datetime, seconds: float | None) -> ApprovalState:
    """An approval that begins to wait; raises StepFailure for inputs that cannot be asked for."""
    names = approvers if is_list(approvers) else [approvers] if approvers else []
    return ApprovalState(
        path=path,
        message=message,
        since=now,
        approvers=[str(name) for name in names],
        inputs=None if inputs is None else _asked(inputs),
        deadline=None if seconds is None else now + timedelta(seconds=seconds),
    )


def seconds_left(asked: ApprovalState, now: datetime) -> float | None:
    """How long it may still wait; None = for ever."""
    return None if asked.deadline is None else (asked.deadline - now).total_seconds()


def answered(asked: ApprovalState, answer: Answer) -> ApprovalState:
    """The approval with its answer."""
    given = ApprovalAnswer(
        approved=answer.approved, at=answer.at, by=answer.by, comment=answer.comment, inputs=answer.inputs
    )
    return msgspec.structs.replace(asked, answer=given)


def rejection(answer: Answer) -> StepFailure:
    """What a rejection makes of the step or job that asked."""
    why = f": {answer.comment}" if answer.comment else ""
    return StepFailure("rejected", f"rejected by {answer.by or 'somebody unnamed'}{why}")


def _asked(inputs: Any) -> dict[str, ApprovalInput]:
    if not is_mapping(inputs) or len(inputs) > MAX_ASKED:
        raise StepFailure("invalid-input", f"with.inputs: must be a mapping of at most {MAX_ASKED} names")
    return {str(name): _input(str(name), declared) for name, declared in inputs.items()}


def _input(name: str, declared: Any) -> ApprovalInput:
    try:
        found = msgspec.convert({} if declared is None else declared, ApprovalInput, strict=False)
    except msgspec.ValidationError as error:
        raise StepFailure("invalid-input", f"with.inputs.{name}: {error}") from error
    if found.type not in _TYPES:
        raise StepFailure("invalid-input", f"with.inputs.{name}.type: must be one of {', '.join(sorted(_TYPES))}")
    if found.type == "choice" and not found.options:
        raise StepFailure("invalid-input", f"with.inputs.{name}: a choice needs `options`")
    return found
