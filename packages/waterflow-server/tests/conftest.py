"""What the tests of several rooms need: a real Temporal, and the server's worker for documents."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import ORCHESTRATOR_QUEUE
from waterflow_server._converter import data_converter
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings
from waterflow_server.documents import DocumentWorkflow


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a Temporal of its own, with payloads that are encrypted."""
    binary = os.environ.get("WATERFLOW_TEMPORAL_BINARY")
    given = {"binary": Path(binary)} if binary else {}
    settings = TemporalSettings.from_environ(data_dir=tmp_path / "temporal", ui=False, stop_timeout=0.1, **given)
    async with EmbeddedTemporal(settings) as temporal:
        ring = KeyRing(active="k1", keys={"k1": b"1" * 32})
        yield await Client.connect(temporal.address, data_converter=data_converter(PayloadCodec(ring)))


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
