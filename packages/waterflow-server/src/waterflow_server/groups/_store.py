"""The document that holds all groups, and the announcement of its changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE

from .._deadline import deadline
from ..documents import DocumentExists, DocumentNotFound, DocumentStore, DocumentTooLarge
from ._reconcile import CHANGED_SIGNAL, RECONCILE_ID, RECONCILE_WORKFLOW, SETTLE_UPDATE
from ._table import GroupTable, invalid

KIND = "groups"
NAME = "all"
SETTLE_WITHIN = 5.0
"""How long a change waits until all agents have been told; longer ones finish by themselves."""

_log = logging.getLogger("waterflow.groups")


class TableStore:
    """Reads and changes the groups."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._documents = DocumentStore(client, KIND, GroupTable)

    async def read(self) -> GroupTable:
        """All groups now."""
        document = await self._documents.get(NAME)
        return document.value if document else GroupTable()

    async def change(self, edit: Callable[[GroupTable], GroupTable]) -> GroupTable:
        """Change the groups and wait until agents know. ``edit`` may be called again when others change them too.

        Raises what ``edit`` raises, InvalidGroups when all groups together are too large, and DocumentUnavailable.
        """
        before = await self.read()
        if edit(before) is before:
            return before
        # Announced first: should this server end right after the change, the agents are still told.
        await self.announce()
        try:
            table = await self._put(edit)
        except DocumentTooLarge as error:
            raise invalid([({}, "", "", f"all groups together are too large: {error.message}")]) from error
        await self._settle(table.version)
        return table

    async def announce(self) -> None:
        """Have all agents looked after, in the background."""
        await self._client.start_workflow(
            RECONCILE_WORKFLOW,
            id=RECONCILE_ID,
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=CHANGED_SIGNAL,
        )

    async def _put(self, edit: Callable[[GroupTable], GroupTable]) -> GroupTable:
        try:
            return (await self._documents.change(NAME, edit)).value
        except DocumentNotFound:
            with contextlib.suppress(DocumentExists):
                await self._documents.create(NAME, GroupTable())
            return (await self._documents.change(NAME, edit)).value

    async def _settle(self, version: int) -> None:
        start: WithStartWorkflowOperation[object, None] = WithStartWorkflowOperation(
            RECONCILE_WORKFLOW,
            id=RECONCILE_ID,
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            async with deadline(SETTLE_WITHIN):
                await self._client.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType]
                    SETTLE_UPDATE, version, start_workflow_operation=start
                )
        except (TimeoutError, RPCError, WorkflowUpdateFailedError) as error:
            _log.info("the groups are changed; that all agents know of it was not awaited: %r", error)
        finally:
            await _look_at(start)


async def _look_at(start: WithStartWorkflowOperation[object, None]) -> None:
    """A start that failed fails its update too; asyncio would log it as an error that nobody has looked at."""
    task = asyncio.current_task()
    cancels = task.cancelling() if task else 0
    try:
        async with asyncio.timeout(0):
            await start.workflow_handle()
    except asyncio.CancelledError:  # of the start, which was cancelled when its time was over; or it is us
        if task and task.cancelling() > cancels:
            raise
    except Exception:  # the update has failed of the same
        pass
