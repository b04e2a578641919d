"""`run_at`: a run that starts at its time, and what can be done to it before."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from harness import Site
from harness.site import until

from schedules._workflows import QUICK
from waterflow_sdk.client import InvalidRequest
from waterflow_sdk.wire import State

pytestmark = pytest.mark.asyncio(loop_scope="session")


def zulu(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class TestBefore:
    async def test_it_is_queued_and_says_until_when(self, site: Site):
        at = datetime.now(UTC) + timedelta(hours=1)
        run = await site.submit("name: later\n" + QUICK, run_at=at)
        state = await run.status()
        assert (state.state, state.started, state.reason) == (State.QUEUED, None, f"starts at {zulu(at)}")

        async def listed() -> bool:
            return {each.id async for each in site.client.runs(state=State.QUEUED, name="later")} == {run.id}

        await until(listed, "the list shows it as queued")
        await run.cancel("not today")
        state = await run.wait(180)
        assert (state.state, state.started, state.reason) == (State.CANCELLED, None, "not today")
        assert [job.state for job in state.jobs] == [State.CANCELLED]

    async def test_what_reaches_it_does_not_start_it(self, site: Site):
        run = await site.submit(QUICK, run_at=datetime.now(UTC) + timedelta(hours=1))
        await run.send_event("news")
        await run.pause("wait")
        assert (await run.status()).state is State.PAUSED
        await run.resume()
        assert (await run.status()).state is State.QUEUED
        await run.cancel()
        await run.wait(180)


class TestStart:
    async def test_at_its_time(self, site: Site):
        at = datetime.now(UTC) + timedelta(seconds=2)
        state = await (await site.submit(QUICK, run_at=at)).wait(180)
        assert state.state is State.SUCCESS
        assert state.started is not None
        assert state.started >= at

    async def test_a_time_that_is_over_is_now(self, site: Site):
        run = await site.submit(QUICK, run_at=datetime.now(UTC) - timedelta(days=1))
        assert (await run.wait(180)).state is State.SUCCESS

    async def test_a_time_without_a_zone(self, site: Site):
        with pytest.raises(InvalidRequest, match="run_at 2030-01-01T00:00:00 needs a time zone, such as Z"):
            await site.submit(QUICK, run_at=datetime(2030, 1, 1))

    async def test_a_concurrency_group_is_taken_at_the_start_only(self, site: Site):
        file = "concurrency: {group: at, on-conflict: queue}\n" + QUICK
        later = await site.submit(file, run_at=datetime.now(UTC) + timedelta(seconds=3))
        first = await site.submit(file)  # is not held up by one that only waits for its time
        assert (await first.wait(180)).state is State.SUCCESS
        assert (await later.status()).state in (State.QUEUED, State.RUNNING, State.SUCCESS)
        states = await asyncio.gather(later.wait(180))
        assert [each.state for each in states] == [State.SUCCESS]
