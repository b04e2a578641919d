"""The concurrency group of a whole run."""

from __future__ import annotations

from waterflow_dsl.plan import Plan
from waterflow_sdk.wire import call_workflow_id, run_workflow_id

from ...concurrency import LockRequest
from .._values import Values
from .._wire import RunInput
from ..signals._turn import lock_request
from ._contexts import run_contexts


def run_lock(given: RunInput, plan: Plan, now: str, within: list[str] | None = None) -> LockRequest | None:
    """What a file's ``concurrency`` asks for; the run service and the run come to the same. Raises StepFailure.

    ``now`` is what ``now()`` says: an ISO 8601 moment.
    """
    if plan.concurrency is None:
        return None
    values = Values(run_contexts(given, plan), {"now": lambda: now})
    member = call_workflow_id(given.id, given.call.instance) if given.call else run_workflow_id(given.id)
    return lock_request(plan.concurrency, values, member, within or [])
