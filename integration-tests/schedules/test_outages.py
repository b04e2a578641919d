"""Schedules over outages: Temporal away, a server that ends between a definition and its schedules."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from harness import Site
from harness.site import until
from temporalio.service import RPCError

from schedules._temporal import connect, fire_every
from schedules._workflows import QUICK, YEARLY, ended, scheduled, until_runs, until_schedule
from waterflow_sdk.wire import ScheduleInfo
from waterflow_server.schedules import TemporalSchedules

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestTemporalAway:
    async def test_missed_times_are_made_up_for_within_the_catch_up_only(self, own_site: Site):
        catch_ups = {"within": "10m", "over": "0s"}
        await own_site.client.definitions.apply("missed", QUICK)
        for name, catch_up in catch_ups.items():
            await own_site.client.schedules.create(name, "missed", YEARLY, overlap="allow", catch_up=catch_up)
            await fire_every(own_site, name, 4)
        for name in catch_ups:
            await until_runs(own_site, name, ended(1))
        own_site.temporal.kill()
        down = datetime.now(UTC)
        await asyncio.sleep(16)  # longer than the least catch-up of Temporal, 10 s: the outage itself is what is tested
        await own_site.temporal.restart()
        up = datetime.now(UTC)

        def settled(found: ScheduleInfo) -> bool:
            return any(each.scheduled > up for each in found.recent) and (bool(found.missed) or len(missed(found)) >= 3)

        def missed(found: ScheduleInfo) -> list[datetime]:
            return [each.scheduled for each in found.recent if down < each.scheduled < up]

        found = {name: await until_schedule(own_site, name, settled) for name in catch_ups}
        for name in catch_ups:
            await own_site.client.schedules.delete(name)
        assert (found["within"].missed, len(missed(found["within"])) >= 3) == (0, True)
        # Times within Temporal's least catch-up before it was back are made up for all the same; the others are missed.
        assert found["over"].missed > 0


class TestServerKilled:
    async def test_a_run_goes_on_and_its_trigger_with_it(self, own_site: Site):
        body = "jobs: {work: {runs-on: web, steps: [{run: sleep 5}]}}"
        await own_site.client.definitions.apply("lasting", scheduled(f'{{cron: "{YEARLY}"}}', body=body))
        await own_site.client.schedules.trigger("lasting:1")
        await until_runs(own_site, "lasting:1", lambda found: any(each.run for each in found))
        own_site.kill_server()
        await own_site.start_server()
        (result,) = await until_runs(own_site, "lasting:1", ended(1))
        assert (result.state.value, result.reason) == ("success", "")

    async def test_the_next_server_brings_schedules_in_line(self, own_site: Site):
        """As after a kill -9 right behind the index, where its schedules are not made, and an old one is left."""
        await own_site.client.definitions.apply("mended", scheduled('{cron: "0 1 * * *"}'))
        own_site.kill_server()
        schedules = TemporalSchedules(await connect(own_site))
        found = await schedules.describe("mended:1")
        assert found is not None
        spec = (await schedules.order(found)).spec
        await schedules.delete("mended:1")
        await schedules.create("gone:1", msgspec.structs.replace(spec, definition="gone"))
        await own_site.start_server()

        async def in_line() -> bool:
            try:
                return [await schedules.describe(name) is not None for name in ("mended:1", "gone:1")] == [True, False]
            except RPCError:
                return False

        await until(in_line, "the schedules are what the definitions say")
