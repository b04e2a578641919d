"""Concurrency groups from outside of workflows: get in line, and see who is there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE

from .._search_attributes import KIND
from ._names import lock_workflow_id
from ._queue import why_waiting
from ._wire import ENQUEUE_SIGNAL, LOCK_WORKFLOW, QUEUE_QUERY, LockMemory, LockRequest, LockView

LOCK_KIND = "lock"
"""Value of the search attribute for the kind of what a workflow stands for."""

_TIMEOUT = timedelta(seconds=5)


async def enqueue(client: Client, request: LockRequest) -> None:
    """Get a member in line; its coordinator is started when it is not there. Doing it again changes nothing."""
    await client.start_workflow(
        LOCK_WORKFLOW,
        LockMemory(group=request.group),
        id=lock_workflow_id(request.group),
        task_queue=ORCHESTRATOR_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=ENQUEUE_SIGNAL,
        start_signal_args=[request.member],
        search_attributes=TypedSearchAttributes([SearchAttributePair(KIND, LOCK_KIND)]),
        static_summary=request.group,
        rpc_timeout=_TIMEOUT,
    )


async def look(client: Client, group: str) -> LockView:
    """Who has a group (named as here) and who waits; nobody when there is no coordinator, or none that answers now."""
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(lock_workflow_id(group))
    try:
        view: LockView = await handle.query(QUEUE_QUERY, result_type=LockView, rpc_timeout=_TIMEOUT)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
        return LockView(group=group)
    return msgspec.structs.replace(view, group=group)


class Lines:
    """The lines of groups at one moment: each is looked at once, however many members of a run stand in it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._views: dict[str, asyncio.Task[LockView]] = {}

    async def why(self, group: str, member: str) -> str:
        """Why a member waits, in words: who holds the group, and how many come before; empty when it is not there."""
        if group not in self._views:
            self._views[group] = asyncio.create_task(look(self._client, group))
        return why_waiting(await self._views[group], member)
