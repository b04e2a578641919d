"""Approvals in a run's tree: which one an answer is for, and whether it gives what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from waterflow_dsl.plan import InputPlan, InputType
from waterflow_sdk.wire import ApprovalInput, ApprovalState, RunState, State, StepState

from .._inputs import convert_inputs
from ._errors import AnswerRefused, InvalidAnswer, NothingWaits


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's answer to an approval.

    ``step`` is ``<job instance>/<step path>``, or ``<job instance>/environment``; None = the only one that waits, or
    all that wait for the same environment.
    """

    approved: bool
    by: str = ""
    comment: str = ""
    inputs: dict[str, Any] = {}
    step: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An approval of a job instance."""

    job: str
    approval: ApprovalState

    @property
    def name(self) -> str:
        """What people call it by."""
        return f"{self.job}/{self.approval.path}"


def asked_for(run: RunState, wanted: str | None) -> list[Asked]:
    """The approvals that an answer is for; raises NothingWaits."""
    every, waiting = list(_asked(run, waiting=False)), list(_asked(run, waiting=True))
    if wanted is not None:
        found = [each for each in every if each.name == wanted]
        if not found:
            names = ", ".join(each.name for each in waiting)
            raise NothingWaits(f"no approval waits at {wanted}; waiting: {names or 'none'}")
        return found
    if not waiting and len(every) == 1:
        return every
    if _one_environment(waiting):
        return waiting
    if len(waiting) != 1:
        more = f": say which one of {', '.join(each.name for each in waiting)}" if waiting else ""
        raise NothingWaits(f"{len(waiting) or 'no'} approvals wait in run {run.id}{more}")
    return waiting


def answered_already(asked: Asked, answer: Approval) -> bool:
    """Whether the same answer is there; raises AnswerRefused when another one is."""
    known = asked.approval.answer
    if known is None:
        return False
    inputs = checked_inputs(asked.approval, answer)
    if (known.approved, known.by, known.inputs) == (answer.approved, answer.by, inputs):
        return True
    word = "approved" if known.approved else "rejected"
    raise AnswerRefused(f"{known.by or 'somebody unnamed'} has {word} it already")


def checked_inputs(asked: ApprovalState, answer: Approval) -> dict[str, Any]:
    """The answer's inputs as their types, defaults filled in. Raises InvalidAnswer. A rejection need not give any."""
    if asked.inputs is None:
        return answer.inputs
    declared = {name: _plan(each) for name, each in asked.inputs.items()}
    values, errors = convert_inputs(declared, answer.inputs, "the approval")
    if not answer.approved:
        errors = [each for each in errors if each["code"] != "input-missing"]
    if errors:
        raise InvalidAnswer("; ".join(each["message"] for each in errors), {"errors": errors})
    defaults = {name: each.default for name, each in asked.inputs.items() if each.default is not None}
    return defaults | values


def _plan(asked: ApprovalInput) -> InputPlan:
    return InputPlan(
        type=InputType(asked.type),
        required=asked.required,
        default=asked.default,
        description=asked.description,
        options=tuple(asked.options),
    )


def _one_environment(asked: Sequence[Asked]) -> bool:
    """Whether all wait for the same environment: one answer is for all of them then, as on GitHub."""
    return {each.approval.path for each in asked} == {"environment"} and len(
        {each.approval.message for each in asked}
    ) == 1


def _asked(run: RunState, *, waiting: bool) -> Iterator[Asked]:
    for job in run.jobs:
        if job.approval is not None and not (waiting and (job.approval.answer or job.state is not State.WAITING)):
            yield Asked(job=job.instance, approval=job.approval)
        for step in _steps(job.steps):
            if step.node == "approval" and (step.state is State.WAITING or (step.approval and not waiting)):
                yield Asked(job=job.instance, approval=step.approval or _of_an_older_server(step))


def _of_an_older_server(step: StepState) -> ApprovalState:
    """What a job asks that was started before the tree said more than the reason."""
    return ApprovalState(path=step.path, message=step.reason, since=step.started or datetime.now(UTC))


def _steps(steps: Sequence[StepState]) -> Iterator[StepState]:
    for step in steps:
        yield step
        yield from _steps(step.steps)
