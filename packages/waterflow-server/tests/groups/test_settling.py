"""A change of groups whose agents cannot be told: it is said once, in the server's own words."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from waterflow_server.groups import _store


def operation() -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        "Anything", id="a", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )


class TestAStart:
    @pytest.mark.parametrize("looked_at", [True, False])
    async def test_that_failed_is_logged_by_asyncio_only_if_nobody_has_looked(self, looked_at: bool) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        start = operation()
        start._workflow_handle.set_exception(RPCError("away", RPCStatusCode.UNAVAILABLE, b""))
        if looked_at:
            await _store._look_at(start)
        del start
        gc.collect()
        expected = [] if looked_at else ["Future exception was never retrieved"]
        assert [each["message"] for each in told] == expected

    async def test_that_was_cancelled_when_its_time_was_over_cancels_nobody_else(self) -> None:
        start = operation()
        start._workflow_handle.set_exception(asyncio.CancelledError())
        await _store._look_at(start)

    async def test_a_cancel_of_who_looks_is_not_lost(self) -> None:
        looking = asyncio.create_task(_store._look_at(operation()))
        asyncio.get_running_loop().call_soon(looking.cancel)
        with pytest.raises(asyncio.CancelledError):
            await looking

    async def test_that_has_not_ended_is_not_waited_for(self) -> None:
        await _store._look_at(operation())
