"""A run of a newer version of the server: this one cannot read its plan, says so, and everything else goes on."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from harness import Site
from temporalio.client import Client

from waterflow_sdk.client import Run, WaterflowError
from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_sdk.wire import State, run_workflow_id
from waterflow_server._converter import data_converter
from waterflow_server.engine._wire import RUN_WORKFLOW, RunInput

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON = "plan version 99 is newer than 1, the newest this server knows; update waterflow-server"


@pytest_asyncio.fixture(loop_scope="session")
async def newer(site: Site) -> Run:
    """A run that a newer server has started, with a plan of a form that nobody here knows."""
    codec = PayloadCodec(KeyRing.load(site.root / "keys.json"))
    temporal = await Client.connect(site.temporal.address, data_converter=data_converter(codec))
    plan = msgspec.Raw(b'{"version": 99, "jobs": "in a form of its own"}')
    given = RunInput(id=f"newer-{uuid4().hex}", plan=plan, submitted=datetime.now(UTC))
    await temporal.start_workflow(RUN_WORKFLOW, given, id=run_workflow_id(given.id), task_queue="waterflow")
    return site.client.run(given.id)


class TestAPlanFromANewerVersion:
    async def test_fails_with_what_to_do(self, newer: Run):
        state = await newer.wait(180)
        assert (state.state, state.error.code) == (State.FAILED, "plan-version")
        assert state.error.message == f"this server cannot read the plan: {REASON}"

    @pytest.mark.parametrize("what", ["retry", "plan"])
    async def test_what_needs_the_plan_is_refused_with_the_same_reason(self, newer: Run, what: str):
        await newer.wait(180)
        with pytest.raises(WaterflowError) as caught:
            await getattr(newer, what)()
        assert (caught.value.status, caught.value.code) == (409, "plan-version")
        assert REASON in str(caught.value)
