"""The manifests of all nodes, each kept once, by its digest."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, NodeManifest, document_workflow_id

from .._search_attributes import KIND, NAME
from ..documents import DOCUMENT_WORKFLOW, VALUE_MEMO, VERSION_MEMO, DocumentSeed
from ._wire import MANIFEST_KIND

FRESH = 6 * 3600.0
"""Seconds for which a manifest that was read is taken to be stored still: see :mod:`._unused`."""

_CACHED = 1000
_AT_ONCE = 10


class _Kept(msgspec.Struct, frozen=True):
    manifest: NodeManifest
    read: float


class Manifests:
    """Reads and stores manifests. A manifest never changes, so what was read is kept in memory for hours.

    However many ask for one at the same time, it is read once.
    """

    def __init__(self, client: Client, fresh: float = FRESH) -> None:
        self._client = client
        self._fresh = fresh
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def find(self, digests: Iterable[str]) -> dict[str, NodeManifest]:
        """The stored manifests by digest; digests that are not stored are left out."""
        wanted = sorted(set(digests))
        oldest = time.monotonic() - self._fresh
        await asyncio.gather(*(self._read_once(digest) for digest in wanted if not self._is_known(digest, oldest)))
        found = {digest: self._kept[digest].manifest for digest in wanted if digest in self._kept}
        self._trim(found)
        return found

    async def store(self, manifests: Iterable[NodeManifest]) -> None:
        """Keeps each as a document named by its digest. Storing one again changes nothing."""
        await asyncio.gather(*(self._store(manifest) for manifest in manifests))

    async def stored(self) -> dict[str, str]:
        """All that are stored: digests, and the ids of the workflow runs that hold them."""
        query = f"{KIND.name} = '{MANIFEST_KIND}' AND ExecutionStatus = 'Running'"
        prefix = document_workflow_id(MANIFEST_KIND, "")
        found = self._client.list_workflows(query, page_size=1000)
        return {each.id.removeprefix(prefix): each.run_id async for each in found}

    async def remove(self, digest: str, run_id: str) -> None:
        """Forget one, held by that run of its workflow; one that is gone is no error."""
        self._kept.pop(digest, None)
        execution = WorkflowExecution(workflow_id=document_workflow_id(MANIFEST_KIND, digest), run_id=run_id)
        request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
        try:
            await self._client.workflow_service.delete_workflow_execution(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    def _is_known(self, digest: str, oldest: float) -> bool:
        return digest in self._kept and self._kept[digest].read >= oldest

    async def _read_once(self, digest: str) -> None:
        reading = self._reads.get(digest)
        if reading is None:
            reading = self._reads[digest] = asyncio.create_task(self._read(digest))
            reading.add_done_callback(lambda _: self._reads.pop(digest))
        await asyncio.shield(reading)  # others wait for it too

    async def _read(self, digest: str) -> None:
        handle = self._client.get_workflow_handle(document_workflow_id(MANIFEST_KIND, digest))
        try:
            async with self._gate:
                description = await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            description = None
        if description is None or description.status is not WorkflowExecutionStatus.RUNNING:
            self._kept.pop(digest, None)
            return
        memo = await description.memo()
        self._keep(msgspec.convert(memo[VALUE_MEMO], NodeManifest))

    async def _store(self, manifest: NodeManifest) -> None:
        if self._is_known(manifest.digest, time.monotonic() - self._fresh):
            return
        async with self._gate:
            await self._client.start_workflow(
                DOCUMENT_WORKFLOW,
                DocumentSeed(),
                id=document_workflow_id(MANIFEST_KIND, manifest.digest),
                task_queue=ORCHESTRATOR_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                memo={VALUE_MEMO: manifest, VERSION_MEMO: 1},
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(KIND, MANIFEST_KIND), SearchAttributePair(NAME, manifest.name)]
                ),
            )
        self._keep(manifest)

    def _keep(self, manifest: NodeManifest) -> None:
        self._kept[manifest.digest] = _Kept(manifest, time.monotonic())

    def _trim(self, used: Iterable[str]) -> None:
        for digest in used:
            self._kept.move_to_end(digest)
        while len(self._kept) > _CACHED:
            self._kept.popitem(last=False)
