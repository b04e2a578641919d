"""Control nodes: run by the interpreter itself, durably and without an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from temporalio import workflow

from .._values import StepFailure
from ._approvals import answered, asks, rejection
from ._given import Control
from ._linked import run_workflow

Outputs = dict[str, Any]


_PATCH_NOBODY = "2026-11-approvers-named"


class StopJob(Exception):
    """``stop``: the job ends here, as success."""


async def _sleep(control: Control) -> Outputs:
    seconds = control.seconds("duration")
    if seconds is None:
        raise StepFailure("invalid-input", "with.duration: is required")
    await control.sleep(seconds)
    return {}


async def _wait(control: Control) -> Outputs:
    """``for`` an event, ``until`` a moment, or whichever comes first; ``timeout`` fails the step."""
    event, moment = control.inputs.get("for"), control.inputs.get("until")
    if event is None and moment is None:
        raise StepFailure("invalid-input", "with: give `for` (the name of an event) or `until` (a moment)")
    left = None if moment is None else (_moment(moment) - control.started).total_seconds()
    timeout = control.seconds("timeout")
    shortest = min((each for each in (left, timeout) if each is not None), default=None)
    wanted = f"event {event}" if event is not None else f"{moment}"
    came = await control.until(lambda: event is not None and control.inbox.has(str(event)), shortest, wanted)
    if came:
        return {"event": str(event), "payload": control.inbox.take(str(event))}
    if control.stop.cancelled or (left is not None and shortest == left):
        return {}
    raise StepFailure("wait-timeout", f"{wanted} did not come within {control.inputs.get('timeout')}")


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise StepFailure("invalid-input", f"with.until: {text!r} is not a moment like 2026-01-31T02:00:00Z") from None
    if moment.tzinfo is None:
        raise StepFailure("invalid-input", f"with.until: {text!r} has no time zone; add Z for UTC")
    return moment


async def _approval(control: Control) -> Outputs:
    """Waits for an answer; a rejection fails the step."""
    path, record = control.record.path, control.record
    message = str(control.inputs.get("message") or "approval")
    timeout = control.seconds("timeout")
    approvers, inputs = control.inputs.get("approvers"), control.inputs.get("inputs")
    if "approvers" in control.inputs and not approvers and workflow.patched(_PATCH_NOBODY):
        raise StepFailure("invalid-input", "with.approvers: names nobody; without `approvers` anybody may answer")
    record.approval = asked = asks(path, message, approvers, inputs, control.started, timeout)
    control.inbox.ask(path, asked.approvers)
    try:
        await control.until(lambda: control.inbox.answer_for(path) is not None, timeout, f"approval: {message}")
    finally:
        control.inbox.close(path)
    answer = control.inbox.take_answer(path)
    if answer is None:
        if control.stop.cancelled:
            return {}
        raise StepFailure("approval-timeout", f"nobody answered within {control.inputs.get('timeout')}: {message}")
    record.approval = answered(asked, answer)
    if not answer.approved:
        raise rejection(answer)
    return {
        "approved": True,
        "by": answer.by,
        "at": answer.at.isoformat(),
        "comment": answer.comment,
        "inputs": answer.inputs,
    }


async def _set_vars(control: Control) -> Outputs:
    control.set_vars(control.inputs)
    return {}


async def _fail(control: Control) -> Outputs:
    raise StepFailure("failed", str(control.inputs.get("message") or "the workflow says that this is a failure"))


async def _stop_job(control: Control) -> Outputs:
    raise StopJob(str(control.inputs.get("message") or ""))


async def _transform(control: Control) -> Outputs:
    return dict(control.inputs)


_NODES: dict[str, Callable[[Control], Awaitable[Outputs]]] = {
    "approval": _approval,
    "data/transform": _transform,
    "fail": _fail,
    "sleep": _sleep,
    "stop": _stop_job,
    "vars/set": _set_vars,
    "wait": _wait,
    "workflow/run": run_workflow,
}

CONTROL_NODES_RUN = frozenset(_NODES)
"""Control nodes that this interpreter can run."""


async def run_control(name: str, control: Control) -> Outputs:
    """Run a control node to its outputs; raises StepFailure or StopJob."""
    try:
        node = _NODES[name]
    except KeyError:
        raise StepFailure("not-available", f"the control node {name} cannot be run by this server") from None
    return await node(control)
