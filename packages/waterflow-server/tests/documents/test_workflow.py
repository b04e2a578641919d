"""Documents in memos: versions, conflicts, roll-over, readable without a worker."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE
from waterflow_server.documents import DOCUMENT_WORKFLOW, DocumentPut, DocumentSeed


async def create(client: Client) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        DOCUMENT_WORKFLOW,
        DocumentSeed(),
        id="doc/group/web",
        task_queue=ORCHESTRATOR_QUEUE,
        memo={"value": {"agents": []}, "version": 1},
    )


async def read(handle: WorkflowHandle[Any, Any]) -> tuple[int, Any]:
    memo = await (await handle.describe()).memo()
    return memo["version"], memo["value"]


async def test_is_readable_while_no_worker_runs(client: Client) -> None:
    assert await read(await create(client)) == (1, {"agents": []})


@pytest.mark.usefixtures("orchestrator")
class TestPut:
    async def test_on_top_of_the_current_version(self, client: Client) -> None:
        handle = await create(client)
        assert await handle.execute_update("put", DocumentPut(expected=1, value={"agents": ["a"]})) == 2
        assert await read(handle) == (2, {"agents": ["a"]})

    async def test_on_top_of_another_version(self, client: Client) -> None:
        handle = await create(client)
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update("put", DocumentPut(expected=7, value={}))
        message = "the document is at version 1, not 7; read it and change it again"
        assert getattr(raised.value.cause, "message", "") == message
        assert await read(handle) == (1, {"agents": []})

    async def test_of_too_much(self, client: Client) -> None:
        handle = await create(client)
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update("put", DocumentPut(expected=1, value="x" * 262_144))
        message = "the document would take 262146 bytes; at most 262144 are allowed"
        assert getattr(raised.value.cause, "message", "") == message


@pytest.mark.usefixtures("orchestrator")
class TestRollOver:
    async def test_keeps_the_newest_value(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("waterflow_server.documents._workflow._CHANGES_PER_RUN", 3)
        handle = await create(client)
        version = 1
        while version < 10:
            try:
                version = await handle.execute_update("put", DocumentPut(expected=version, value={"n": version}))
            except WorkflowUpdateFailedError as error:
                assert getattr(error.cause, "type", "") == "RollingOver"  # noqa: PT017
        assert await read(handle) == (10, {"n": 9})
        description = await handle.describe()
        assert description.raw_description.workflow_execution_info.first_run_id != description.run_id


@pytest.mark.usefixtures("orchestrator")
class TestDelete:
    async def test_ends_the_document(self, client: Client) -> None:
        handle = await create(client)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("delete", 5)
        await handle.execute_update("delete", 1)
        await handle.result()
