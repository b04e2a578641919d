"""Attempts whose activity was lost: they go on, to be adopted, unless the run that wanted them has ended."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from ._attempts import Attempt
from ._stop import StopReason

logger = logging.getLogger("waterflow.agent")

_EVERY = 5.0
_RPC_TIMEOUT = timedelta(seconds=5)


class Orphans:
    """Looks now and then whether the workflow behind a lost activity still runs."""

    def __init__(self, client: Client, every: float = _EVERY) -> None:
        self.client = client
        self._every = every
        self._watched: dict[str, asyncio.Task[None]] = {}

    def watch(self, attempt: Attempt) -> None:
        """The activity that held it was lost."""
        logger.warning("lost the activity of %s; the step goes on and waits to be adopted", attempt.key)
        self.adopted(attempt)
        task = asyncio.create_task(self._look(attempt), name=f"orphan {attempt.key}")
        self._watched[str(attempt.key)] = task
        task.add_done_callback(lambda done: self._forget(str(attempt.key), done))

    def adopted(self, attempt: Attempt) -> None:
        """An activity holds the attempt again."""
        task = self._watched.pop(str(attempt.key), None)
        if task:
            task.cancel()

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._watched.get(key) is task:
            del self._watched[key]

    async def _look(self, attempt: Attempt) -> None:
        while not attempt.ended.done():
            if await self._closed(attempt.delivery.workflow, attempt.delivery.workflow_run):
                attempt.stop(StopReason.ABANDONED)
                return
            await asyncio.wait([attempt.ended], timeout=self._every)

    async def _closed(self, workflow_id: str, run_id: str) -> bool:
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id or None)
        try:
            description = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return description.status is not WorkflowExecutionStatus.RUNNING
