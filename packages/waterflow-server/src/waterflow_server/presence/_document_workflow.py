"""Small documents without a database: the value is in the memo, changes are updates with optimistic versions."""

from __future__ import annotations

from typing import Any

import msgspec
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from ._wire import DocumentPut, DocumentSeed

DOCUMENT_WORKFLOW = "WaterflowDocument"
"""Workflow type of a document; id ``doc/<kind>/<name>``."""

VALUE_MEMO = "value"
VERSION_MEMO = "version"

MAX_DOCUMENT_BYTES = 256 * 1024
"""A memo much above this makes every list of documents slow (measured)."""

_CHANGES_PER_RUN = 500


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
        await workflow.wait_condition(lambda: self._deleted or self._changes >= _CHANGES_PER_RUN)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._deleted:
            # The memo must be named: else it silently falls back to the one of the first run.
            memo: dict[str, Any] = {VALUE_MEMO: workflow.memo_value(VALUE_MEMO), VERSION_MEMO: self._version}
            workflow.continue_as_new(DocumentSeed(version=self._version), memo=memo)

    @workflow.update
    def put(self, change: DocumentPut) -> int:
        """Replaces the value; answers the new version. Errors: Conflict, TooLarge, RollingOver (send it again)."""
        self._version += 1
        self._changes += 1
        workflow.upsert_memo({VALUE_MEMO: change.value, VERSION_MEMO: self._version})
        return self._version

    @put.validator
    def _check_put(self, change: DocumentPut) -> None:
        if self._deleted or self._changes >= _CHANGES_PER_RUN:
            raise ApplicationError("the document is rolling over; send the change again", type="RollingOver")
        if change.expected != self._version:
            raise ApplicationError(
                f"the document is at version {self._version}, not {change.expected}; read it and change it again",
                self._version,
                type="Conflict",
            )
        size = len(msgspec.json.encode(change.value))
        if size > MAX_DOCUMENT_BYTES:
            raise ApplicationError(
                f"the document would take {size} bytes; at most {MAX_DOCUMENT_BYTES} are allowed", type="TooLarge"
            )

    @workflow.update
    def delete(self, expected: int) -> None:
        """Ends the document, if it is at version ``expected``."""
        del expected
        self._deleted = True

    @delete.validator
    def _check_delete(self, expected: int) -> None:
        if expected != self._version:
            raise ApplicationError(
                f"the document is at version {self._version}, not {expected}; read it and delete it again",
                self._version,
                type="Conflict",
            )
