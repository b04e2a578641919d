"""One site for all tests of this folder, whose jobs roll over after every few steps; and how often a job did."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Site
from temporalio.client import Client

from waterflow_sdk.client import Run
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_server._converter import data_converter

HISTORY_EVENTS = 20
"""About three steps, so that everything that a test does crosses a roll-over."""

Histories = Callable[[Run, str], Awaitable[list[int]]]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> AsyncIterator[Site]:
    """A ready site, shared: tests must not kill anything in it."""
    root = tmp_path_factory.mktemp("site")
    environ = {"WATERFLOW_HISTORY_EVENTS": str(HISTORY_EVENTS)}
    async with Site.create(root, agents=["web-01", "web-02"], server_environ=environ) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def temporal(site: Site) -> Client:
    """Temporal itself, as the server sees it."""
    codec = PayloadCodec(KeyRing.load(site.root / "keys.json"))
    return await Client.connect(site.temporal.address, data_converter=data_converter(codec))


@pytest_asyncio.fixture(loop_scope="session")
async def histories(temporal: Client) -> Histories:
    """`histories(run, job)`: the lengths of all histories of a job's workflow, the newest first."""

    async def lengths(run: Run, job: str) -> list[int]:
        workflow_id, run_id = f"run/{run.id}/{job}", None
        found: list[int] = []
        while True:
            history = await temporal.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
            found.append(len(history.events))
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not run_id:
                return found

    return lengths
