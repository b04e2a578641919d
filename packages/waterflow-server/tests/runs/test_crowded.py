"""A run that has heard so much that more would end it."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from waterflow_sdk.wire import run_workflow_id
from waterflow_server.engine._wire import RUN_WORKFLOW, Event
from waterflow_server.runs import RunCrowded, Runs, _control


@pytest.fixture
async def run(client: Client) -> str:
    """A run that nobody works at: its history has its beginning and what it is sent."""
    await client.start_workflow(RUN_WORKFLOW, id=run_workflow_id("r1"), task_queue="nobody")
    return "r1"


async def test_it_takes_no_further_event_but_a_cancel(
    client: Client, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(client)
    await runs.event(run, Event(name="go"))
    monkeypatch.setattr(_control, "CROWDED", 2)
    with pytest.raises(RunCrowded) as caught:
        await runs.event(run, Event(name="go"))
    assert str(caught.value) == "run r1 has heard too much already; what it still has room for is its own end"
    await runs.cancel(run, "enough")
