"""The workflow behind a document: changes are updates with optimistic versions."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from ._wire import (
    CONFLICT,
    DELETE_UPDATE,
    DOCUMENT_WORKFLOW,
    PUT_UPDATE,
    ROLLING_OVER,
    TOO_LARGE,
    VALUE_MEMO,
    VERSION_MEMO,
    DocumentPut,
    DocumentSeed,
    too_large,
)

_CHANGES_PER_RUN = 500
_BYTES_PER_RUN = 20 * 1024 * 1024
_QUIET = 0.05
_QUIET_END = "2026-11-quiet-end"


@workflow.defn(name=DOCUMENT_WORKFLOW)
class DocumentWorkflow:
    """One document. It is readable from its memo while no worker runs, and started with the memo already set."""

    @workflow.init
    def __init__(self, seed: DocumentSeed) -> None:
        self._version = seed.version
        self._changes = 0
        self._deleted = False

    @workflow.run
    async def run(self, seed: DocumentSeed) -> None:
        """Lives until it is deleted; bounds its history by continuing as new."""
        del seed
        await workflow.wait_condition(lambda: self._deleted or self._is_long())
        if workflow.patched(_QUIET_END):
            await self._quiet()
        else:
            await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._deleted:
            # The memo must be named: else it silently falls back to the one of the first run.
            memo: dict[str, Any] = {VALUE_MEMO: workflow.memo_value(VALUE_MEMO), VERSION_MEMO: self._version}
            workflow.continue_as_new(DocumentSeed(version=self._version), memo=memo)

    @workflow.update(name=PUT_UPDATE)
    def put(self, change: DocumentPut) -> int:
        """Replaces the value; answers the new version. Errors: Conflict, TooLarge, RollingOver (send it again)."""
        self._version += 1
        self._changes += 1
        workflow.upsert_memo({VALUE_MEMO: change.value, VERSION_MEMO: self._version})
        return self._version

    @put.validator
    def _check_put(self, change: DocumentPut) -> None:
        self._check_living()
        if change.expected != self._version:
            raise ApplicationError(
                f"the document is at version {self._version}, not {change.expected}; read it and change it again",
                self._version,
                type=CONFLICT,
            )
        if (refusal := too_large(change.value)) is not None:
            raise ApplicationError(refusal, type=TOO_LARGE)

    @workflow.update(name=DELETE_UPDATE)
    def delete(self, expected: int) -> None:
        """Ends the document, if it is at version ``expected``. Errors: Conflict, RollingOver (send it again)."""
        del expected
        self._deleted = True

    @delete.validator
    def _check_delete(self, expected: int) -> None:
        self._check_living()
        if expected != self._version:
            raise ApplicationError(
                f"the document is at version {self._version}, not {expected}; read it and delete it again",
                self._version,
                type=CONFLICT,
            )

    def _check_living(self) -> None:
        if self._deleted or self._is_full():
            raise ApplicationError("the document is rolling over; send the change again", type=ROLLING_OVER)

    async def _quiet(self) -> None:
        """Wait until nobody changes the document: updates that come in the very task in which a workflow ends are lost
        to it, and hold up the first task of its next run (temporalio 1.35).
        """
        seen = -1
        while seen != self._changes:
            seen = self._changes
            await asyncio.sleep(_QUIET)

    def _is_long(self) -> bool:
        # A few hundred changes of a large value are as much history as many changes of a small one.
        return self._changes >= _CHANGES_PER_RUN or workflow.info().is_continue_as_new_suggested()

    def _is_full(self) -> bool:
        """It never became quiet: whoever writes has to wait now, before Temporal's limits are reached."""
        size = workflow.info().get_current_history_size()
        return self._changes >= 2 * _CHANGES_PER_RUN or size >= _BYTES_PER_RUN
