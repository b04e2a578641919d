"""A hello that fails is told once, in the agent's own words."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from waterflow_agent._presence import _look_at


def operation() -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        "Anything", id="a", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )


class TestAStart:
    async def test_that_failed_is_not_logged_by_asyncio_as_well(self):
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        start = operation()
        start._workflow_handle.set_exception(RPCError("away", RPCStatusCode.UNAVAILABLE, b""))
        await _look_at(start)
        del start
        gc.collect()
        assert told == []

    async def test_that_was_cancelled_when_its_time_was_over_cancels_nobody_else(self) -> None:
        start = operation()
        start._workflow_handle.set_exception(asyncio.CancelledError())
        await _look_at(start)

    async def test_that_has_not_ended_is_not_waited_for(self):
        await _look_at(operation())
