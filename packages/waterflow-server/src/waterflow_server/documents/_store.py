"""Documents of one kind, typed: read from memos, changed by updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, document_workflow_id

from .._deadline import deadline
from .._errors import ServerError
from .._search_attributes import KIND, NAME
from ._errors import DocumentConflict, DocumentExists, DocumentNotFound, DocumentTooLarge, DocumentUnavailable
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

Value = TypeVar("Value")

DEADLINE = 10.0
"""Seconds that a change may take: without a worker an update would wait for ever."""

_UNPROCESSED = "UnprocessedUpdate"
"""What Temporal says of an update that came in the very task in which the workflow continued as new."""

_ROLL_OVER_PAUSE = 0.2


class Document(msgspec.Struct, Generic[Value], frozen=True, kw_only=True):
    """A document as it was read: a change names the ``version`` that it is made on top of."""

    name: str
    version: int
    value: Value


class DocumentStore(Generic[Value]):
    """Documents of one ``kind`` whose values are ``type``. Names are unique within the kind, and part of a workflow id.

    ``get`` is exact after a change; ``list`` reads visibility and may lag by tens of milliseconds. Reading needs no
    worker.
    """

    def __init__(self, client: Client, kind: str, type: type[Value], *, deadline: float = DEADLINE) -> None:
        self._client = client
        self._kind = kind
        self._type = type
        self._deadline = deadline

    async def get(self, name: str) -> Document[Value] | None:
        """The document; None when there is none."""
        try:
            description = await self._client.get_workflow_handle(self._id(name)).describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                return None
            raise
        return await self._read(description) if description.status is WorkflowExecutionStatus.RUNNING else None

    async def list(self) -> list[Document[Value]]:
        """All documents of the kind, by name."""
        query = f"{KIND.name} = '{self._kind}' AND ExecutionStatus = 'Running'"
        found = [await self._read(each) async for each in self._client.list_workflows(query, page_size=1000)]
        # One that rolls over may be seen as its old and its new run.
        newest = {each.name: each for each in sorted(found, key=lambda each: each.version)}
        return [newest[name] for name in sorted(newest)]

    async def create(self, name: str, value: Value) -> Document[Value]:
        """A new document, at version 1. Raises DocumentExists and DocumentTooLarge."""
        if (refusal := too_large(value)) is not None:
            raise DocumentTooLarge(refusal)
        try:
            await self._client.start_workflow(
                DOCUMENT_WORKFLOW,
                DocumentSeed(),
                id=self._id(name),
                task_queue=ORCHESTRATOR_QUEUE,
                memo={VALUE_MEMO: value, VERSION_MEMO: 1},
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(KIND, self._kind), SearchAttributePair(NAME, name)]
                ),
            )
        except WorkflowAlreadyStartedError as error:
            raise DocumentExists(f"there is a {self._kind} {name!r} already", {"name": name}) from error
        return Document(name=name, version=1, value=value)

    async def put(self, name: str, value: Value, expected: int) -> Document[Value]:
        """Replace the value on top of version ``expected``.

        Raises DocumentNotFound, DocumentConflict, DocumentTooLarge and DocumentUnavailable.
        """
        if (refusal := too_large(value)) is not None:
            raise DocumentTooLarge(refusal)
        version = await self._update(name, PUT_UPDATE, DocumentPut(expected=expected, value=value), int)
        return Document(name=name, version=version, value=value)

    async def change(self, name: str, change: Callable[[Value], Value]) -> Document[Value]:
        """Read, change and put, again until nobody came in between. Raises what ``put`` and ``change`` raise."""
        while True:
            current = await self.get(name)
            if current is None:
                raise self._missing(name)
            value = change(current.value)
            if value == current.value:
                return current
            try:
                return await self.put(name, value, current.version)
            except DocumentConflict:
                continue

    async def delete(self, name: str, expected: int) -> None:
        """End the document at version ``expected``; it is gone when this returns. Raises as ``put`` does."""
        await self._update(name, DELETE_UPDATE, expected, type(None))
        await self._client.get_workflow_handle(self._id(name)).result()

    def _id(self, name: str) -> str:
        return document_workflow_id(self._kind, name)

    async def _read(self, execution: WorkflowExecution) -> Document[Value]:
        memo = await execution.memo()
        name = execution.id.removeprefix(self._id(""))
        return Document(name=name, version=memo[VERSION_MEMO], value=msgspec.convert(memo[VALUE_MEMO], self._type))

    async def _update(self, name: str, update: str, argument: Any, result: type[Any]) -> Any:
        try:
            async with deadline(self._deadline):
                return await self._send(name, update, argument, result)
        except TimeoutError as error:
            raise DocumentUnavailable(
                f"no server took the change of {self._kind} {name!r} within {self._deadline:g} s; it may still take "
                "effect, so read it before you try again"
            ) from error

    async def _send(self, name: str, update: str, argument: Any, result: type[Any]) -> Any:
        handle: Any = self._client.get_workflow_handle(self._id(name))
        while True:
            try:
                return await handle.execute_update(update, argument, result_type=result)
            except WorkflowUpdateFailedError as error:
                refused = self._refusal(name, error)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                raise self._missing(name) from error
            if refused is not None:
                raise refused
            await asyncio.sleep(_ROLL_OVER_PAUSE)

    def _refusal(self, name: str, error: WorkflowUpdateFailedError) -> ServerError | None:
        """The error behind a refused update; None when it has to be sent again."""
        cause = error.cause
        if not isinstance(cause, ApplicationError):
            raise error
        details = {"name": name, "version": cause.details[0]} if cause.details else {"name": name}
        if cause.type in (ROLLING_OVER, _UNPROCESSED):
            return None
        kinds = {CONFLICT: DocumentConflict, TOO_LARGE: DocumentTooLarge}
        if cause.type not in kinds:
            raise error
        return kinds[cause.type](cause.message, details)

    def _missing(self, name: str) -> DocumentNotFound:
        return DocumentNotFound(f"there is no {self._kind} {name!r}", {"name": name})
