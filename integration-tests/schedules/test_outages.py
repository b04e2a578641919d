"""Schedules over outages: Temporal away, a server that ends between a definition and its schedules."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from harness import Site
from harness.site import until
from schedules._temporal import connect, fire_every
from schedules._workflows import QUICK, YEARLY, ended, scheduled, until_runs, until_schedule
from temporalio.service import RPCError

from waterflow_sdk.wire import ScheduleInfo
from waterflow_server.schedules import TemporalSchedules


class TestTemporalAway:
    @pytest.mark.parametrize(("catch_up", "made_up"), [("10m", True), ("0s", False)], ids=["within", "over"])
    async def test_missed_times_are_made_up_for_within_the_catch_up_only(
        self, own_site: Site, catch_up: str, made_up: bool
    ):
        await own_site.client.definitions.apply("missed", QUICK)
        await own_site.client.schedules.create("missed", "missed", YEARLY, overlap="allow", catch_up=catch_up)
        await fire_every(own_site, "missed", 4)
        await until_runs(own_site, "missed", ended(1))
        own_site.temporal.kill()
        down = datetime.now(UTC)
        await asyncio.sleep(16)  # longer than the least catch-up of Temporal, 10 s: the outage itself is what is tested
        await own_site.temporal.restart()
        up = datetime.now(UTC)

        def settled(found: ScheduleInfo) -> bool:
            return any(each.scheduled > up for each in found.recent) and (bool(found.missed) or len(missed(found)) >= 3)

        def missed(found: ScheduleInfo) -> list[datetime]:
            return [each.scheduled for each in found.recent if down < each.scheduled < up]

        found = await until_schedule(own_site, "missed", settled)
        assert (found.missed == 0) is made_up
        assert (len(missed(found)) >= 3) is made_up


class TestServerKilled:
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

    async def test_a_run_goes_on_and_its_trigger_with_it(self, own_site: Site):
        body = "jobs: {work: {runs-on: web, steps: [{run: sleep 5}]}}"
        await own_site.client.definitions.apply("lasting", scheduled(f'{{cron: "{YEARLY}"}}', body=body))
        await own_site.client.schedules.trigger("lasting:1")
        await until_runs(own_site, "lasting:1", lambda found: any(each.run for each in found))
        own_site.kill_server()
        await own_site.start_server()
        (result,) = await until_runs(own_site, "lasting:1", ended(1))
        assert (result.state.value, result.reason) == ("success", "")
