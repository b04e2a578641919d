"""A cancel closes a run promptly, whatever it is doing at that moment."""

from datetime import UTC, datetime, timedelta

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import Run
from waterflow_sdk.wire import State, SubmitRequest, SubmitResponse

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLED = {"b.yaml": "on: call\njobs: {work: {runs-on: web, steps: [{run: sleep 60}]}}\n"}


async def _cancelled(run: Run) -> None:
    await run.cancel("enough")
    state = await run.wait(180)
    assert (state.state, state.reason) == (State.CANCELLED, "enough")
    assert {job.state for job in state.jobs} <= {State.CANCELLED, State.SKIPPED}


class TestAtAnyMoment:
    async def test_at_once_after_the_submit(self, site: Site):
        """Before its plan was read, or while a child is being started: whichever comes first."""
        for _ in range(5):
            await _cancelled(await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files=CALLED))

    async def test_before_its_time_has_come(self, site: Site):
        body = SubmitRequest(
            yaml="name: later\njobs: {a: {runs-on: web, steps: [{run: echo}]}}",
            run_at=datetime.now(UTC) + timedelta(hours=1),
        )
        answer = await site.client._transport.call("POST", "/v1/workflows", SubmitResponse, body=body)
        await _cancelled(site.client.run(answer.id))

    async def test_while_it_is_queued_for_a_concurrency_group(self, site: Site):
        text = "concurrency: busy\nname: x\njobs: {a: {runs-on: web, steps: [{uses: wait, with: {for: end}}]}}"
        holder, queued = await site.submit(text), await site.submit(text)

        async def holds() -> bool:
            return (await holder.status("summary")).state is State.WAITING

        await until(holds, "the first one holds the group")
        await _cancelled(queued)
        await _cancelled(holder)

    async def test_while_a_called_workflow_is_queued(self, site: Site):
        text = "concurrency: busy-too\nname: x\njobs: {a: {runs-on: web, steps: [{uses: wait, with: {for: end}}]}}"
        holder = await site.submit(text)

        async def holds() -> bool:
            return (await holder.status("summary")).state is State.WAITING

        await until(holds, "the first one holds the group")
        called = {"b.yaml": "concurrency: busy-too\n" + CALLED["b.yaml"]}
        run = await site.submit("name: x\njobs: {a: {uses: ./b.yaml}}", files=called)

        async def called_is_there() -> bool:
            return len((await run.status()).jobs) == 2

        await until(called_is_there, "the called workflow has started")
        await _cancelled(run)
        await _cancelled(holder)

    async def test_while_it_waits_for_the_approval_of_an_environment(self, site: Site):
        run = await site.submit(
            "name: x\njobs: {a: {runs-on: web, environment: {name: p, approval: true}, steps: [{run: echo}]}}"
        )

        async def waits() -> bool:
            return (await run.status("summary")).state is State.WAITING

        await until(waits, "the job waits for approval")
        await _cancelled(run)
