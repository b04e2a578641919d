"""The manifests of all nodes, each kept once, by its digest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, NodeManifest, document_workflow_id

from .._search_attributes import KIND, NAME
from ..documents import DOCUMENT_WORKFLOW, VALUE_MEMO, VERSION_MEMO, DocumentSeed
from ._wire import MANIFEST_KIND

_CACHED = 1000
_AT_ONCE = 10


class Manifests:
    """Reads and stores manifests. A manifest never changes, so what was read once is kept in memory.

    However many ask for one at the same time, it is read once.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: OrderedDict[str, NodeManifest] = OrderedDict()
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def find(self, digests: Iterable[str]) -> dict[str, NodeManifest]:
        """The stored manifests by digest; digests that are not stored are left out."""
        wanted = sorted(set(digests))
        await asyncio.gather(*(self._read_once(digest) for digest in wanted if digest not in self._kept))
        found = {digest: self._kept[digest] for digest in wanted if digest in self._kept}
        self._trim(found)
        return found

    async def store(self, manifests: Iterable[NodeManifest]) -> None:
        """Keeps each as a document named by its digest. Storing one again changes nothing."""
        await asyncio.gather(*(self._store(manifest) for manifest in manifests))

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
            if error.status is RPCStatusCode.NOT_FOUND:
                return
            raise
        memo = await description.memo()
        self._kept[digest] = msgspec.convert(memo[VALUE_MEMO], NodeManifest)

    async def _store(self, manifest: NodeManifest) -> None:
        if manifest.digest in self._kept:
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
        self._kept[manifest.digest] = manifest

    def _trim(self, used: Iterable[str]) -> None:
        for digest in used:
            self._kept.move_to_end(digest)
        while len(self._kept) > _CACHED:
            self._kept.popitem(last=False)
