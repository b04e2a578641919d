"""What coordinators and members let a server do for them, on the orchestrator queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from ._client import enqueue
from ._names import is_run
from ._wire import ENQUEUE_ACTIVITY, WATCH_ACTIVITY, LockRequest

_BEAT = 2.0  # seconds between two heartbeats of a watch
_POLL = 1.0


class LockActivities:
    """The activities, with the client that they use."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=ENQUEUE_ACTIVITY)
    async def enqueue(self, request: LockRequest) -> None:
        """Get a member in line."""
        await enqueue(self._client, request)

    @activity.defn(name=WATCH_ACTIVITY)
    async def watch(self, holder: str) -> None:
        """Returns when the holder has ended, with all that it continued as."""
        ending = asyncio.create_task(until_ended(self._client, holder))
        try:
            while not ending.done():
                activity.heartbeat()
                await asyncio.wait({ending}, timeout=_BEAT)
            ending.result()
        finally:
            ending.cancel()


async def until_ended(client: Client, id: str) -> None:
    """Wait until nothing of this workflow is open, nor of its jobs: those of a run that was terminated still end their
    steps and run what is in ``finally``. Raises RPCError when Temporal does not answer.
    """
    while (run_id := await _open_run(client, id)) is not None:
        one: WorkflowHandle[Any, Any] = client.get_workflow_handle(id, run_id=run_id)
        closing = one.fetch_history_events(
            wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, skip_archival=True
        )
        async for _ in closing:  # it may have continued as new: look again
            break
    while is_run(id) and await _open_jobs(client, id):  # noqa: ASYNC110 - nobody announces their end
        await asyncio.sleep(_POLL)


async def _open_run(client: Client, id: str) -> str | None:
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(id)
    try:
        description = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return description.run_id if description.status is WorkflowExecutionStatus.RUNNING else None


async def _open_jobs(client: Client, run: str) -> int:
    return (await client.count_workflows(f"WorkflowId STARTS_WITH '{run}/' AND ExecutionStatus = 'Running'")).count


def lock_activities(client: Client) -> list[Callable[..., Any]]:
    """The activities for the server's worker on the orchestrator queue."""
    activities = LockActivities(client)
    return [activities.enqueue, activities.watch]
