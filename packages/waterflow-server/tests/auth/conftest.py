"""A real Temporal, and the server's worker for documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE
from waterflow_server.documents import DocumentWorkflow


@pytest.fixture
async def orchestrator(client: Client) -> AsyncIterator[None]:
    """The server's worker for documents."""
    async with Worker(
        client,
        task_queue=ORCHESTRATOR_QUEUE,
        workflows=[DocumentWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # As the server sets it: the first task after a roll-over may wait that long when an update comes along with it.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    ):
        yield
