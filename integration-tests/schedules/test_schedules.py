"""Schedules: those of files, those of people, what they start, and what people can do to them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from harness import Site
from harness.site import until

from schedules._temporal import fire_every
from schedules._workflows import QUICK, SLOW, YEARLY, ended, scheduled, started, until_runs, until_schedule
from waterflow_sdk.client import AgentAlive, Conflict, InvalidRequest, NotFound
from waterflow_sdk.wire import Overlap, SchedulePut, State

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def names(site: Site, definition: str) -> list[str]:
    """The schedules of a definition's file."""
    found: list[str] = []
    for number in range(1, 5):
        with suppress(NotFound):
            found.append((await site.client.schedules.get(f"{definition}:{number}")).name)
    return found


class TestOfFiles:
    async def test_they_are_what_the_file_says(self, site: Site):
        entry = '{cron: "0 2 * * *", timezone: Asia/Shanghai, overlap: queue, catch-up: 10m, jitter: 1m}'
        made = await site.client.definitions.apply("whole", scheduled(entry))
        assert made.schedules == ["whole:1"]
        found = await site.client.schedules.get("whole:1")
        spec = found.spec
        assert (spec.definition, spec.cron, spec.timezone) == ("whole", "0 2 * * *", "Asia/Shanghai")
        assert (spec.overlap, spec.catch_up, spec.jitter) == (Overlap.QUEUE, 600.0, 60.0)
        assert found.from_file
        assert len(found.next) == 10

    async def test_they_follow_versions_and_whether_it_is_enabled(self, site: Site):
        definitions = site.client.definitions
        await definitions.apply("followed", scheduled('{cron: "0 1 * * *"}', '{cron: "0 2 * * *"}'))
        assert await names(site, "followed") == ["followed:1", "followed:2"]
        await definitions.apply("followed", scheduled('{cron: "0 3 * * *"}'))
        assert await names(site, "followed") == ["followed:1"]
        assert (await site.client.schedules.get("followed:1")).spec.cron == "0 3 * * *"
        await definitions.rollback("followed")
        assert await names(site, "followed") == ["followed:1", "followed:2"]
        await definitions.disable("followed")
        assert await names(site, "followed") == []
        await definitions.enable("followed")
        assert await names(site, "followed") == ["followed:1", "followed:2"]
        await definitions.apply("followed", QUICK)
        assert await names(site, "followed") == []

    async def test_they_are_gone_with_the_definition(self, site: Site):
        await site.client.definitions.apply("leaving", scheduled('{cron: "0 1 * * *"}'))
        await site.client.definitions.delete("leaving")
        assert await names(site, "leaving") == []

    async def test_a_new_version_leaves_a_paused_one_paused(self, site: Site):
        await site.client.definitions.apply("kept", scheduled('{cron: "0 1 * * *"}'))
        await site.client.schedules.pause("kept:1", "maintenance")
        await site.client.definitions.apply("kept", scheduled('{cron: "0 2 * * *"}'))
        found = await site.client.schedules.get("kept:1")
        assert (found.paused, found.reason, found.spec.cron) == (True, "maintenance", "0 2 * * *")

    async def test_they_are_changed_in_the_file_only(self, site: Site):
        await site.client.definitions.apply("filed", scheduled('{cron: "0 1 * * *"}'))
        message = (
            "schedule 'filed:1' is in the file of definition 'filed'; change it there and apply the file, disable the "
            "definition, or pause the schedule"
        )
        with pytest.raises(Conflict, match=message):
            await site.client.schedules.delete("filed:1")
        with pytest.raises(Conflict, match=message):
            await site.client.schedules.put("filed:1", SchedulePut(definition="filed", cron="0 1 * * *"))


class TestOfPeople:
    async def test_created_changed_listed_and_deleted(self, site: Site):
        await site.client.definitions.apply("base", "vars: {n: 1}\n" + QUICK)
        made = await site.client.schedules.create("mine", "base", "@daily", vars={"n": 2}, labels=["blue"])
        assert (made.name, made.from_file, made.spec.vars, made.spec.labels) == ("mine", False, {"n": 2}, ["blue"])
        await site.client.schedules.put("mine", SchedulePut(definition="base", cron="@hourly"))
        assert (await site.client.schedules.get("mine")).spec.cron == "@hourly"

        async def listed() -> bool:
            return "mine" in {each.name for each in await site.client.schedules.list()}

        await until(listed, "the list shows the schedule")
        await site.client.schedules.delete("mine")
        with pytest.raises(NotFound, match="there is no schedule 'mine'"):
            await site.client.schedules.get("mine")

    async def test_a_name_that_is_taken(self, site: Site):
        await site.client.definitions.apply("base", QUICK)
        await site.client.schedules.create("taken", "base", YEARLY)
        with pytest.raises(Conflict, match="there is a schedule 'taken' already"):
            await site.client.schedules.create("taken", "base", YEARLY)

    async def test_a_definition_that_it_uses_stays(self, site: Site):
        await site.client.definitions.apply("used", QUICK)
        await site.client.schedules.create("user", "used", YEARLY)

        async def refused() -> bool:
            try:
                await site.client.definitions.delete("used")
            except Conflict as error:
                return str(error) == ("definition 'used' is used by schedule user; delete that first, or force it")
            await site.client.definitions.apply("used", QUICK)  # the list of schedules lagged behind
            return False

        await until(refused, "the definition cannot be deleted")


class TestRuns:
    async def test_one_is_started_with_its_event(self, site: Site):
        body = (
            "jobs: {work: {runs-on: web, "
            "outputs: {at: '${{ event.scheduled-time }}', by: '${{ event.schedule-name }}', "
            "github: '${{ github.event_name }} ${{ github.event.schedule }}'}, steps: [{run: 'true'}]}}"
        )
        await site.client.definitions.apply("event", scheduled(f'{{cron: "{YEARLY}"}}', body=body))
        await site.client.schedules.trigger("event:1")
        (result,) = await until_runs(site, "event:1", ended(1))
        assert (result.state, result.version, result.reason) == (State.SUCCESS, 1, "")
        assert result.run is not None
        state = await site.client.run(result.run).status()
        assert (state.started_by, state.labels) == ("schedule event:1", ["definition:event"])
        outputs = state.jobs[0].outputs
        assert outputs == {
            "at": result.scheduled.isoformat().replace("+00:00", "Z"),
            "by": "event:1",
            "github": f"schedule {YEARLY}",
        }

    async def test_the_active_version_runs(self, site: Site):
        await site.client.definitions.apply("latest", scheduled(f'{{cron: "{YEARLY}"}}'))
        await site.client.definitions.apply("latest", scheduled(f'{{cron: "{YEARLY}"}}') + "\n# changed")
        await site.client.schedules.trigger("latest:1")
        (result,) = await until_runs(site, "latest:1", ended(1))
        assert result.version == 2

    async def test_vars_and_inputs_of_the_schedule(self, site: Site):
        file = (
            "on: {manual: {inputs: {who: {type: string, required: true}}}}\nvars: {n: 1}\n"
            "jobs: {work: {runs-on: web, outputs: {said: '${{ inputs.who }} ${{ vars.n }}'}, steps: [{run: 'true'}]}}"
        )
        await site.client.definitions.apply("values", file)
        await site.client.schedules.create("given", "values", YEARLY, vars={"n": 7}, inputs={"who": "me"})
        await site.client.schedules.trigger("given")
        (result,) = await until_runs(site, "given", ended(1))
        assert result.run is not None
        assert (await site.client.run(result.run).status()).jobs[0].outputs == {"said": "me 7"}

    async def test_a_failed_run_is_a_result(self, site: Site):
        body = "jobs: {work: {runs-on: web, steps: [{run: 'exit 3'}]}}"
        await site.client.definitions.apply("failing", scheduled(f'{{cron: "{YEARLY}"}}', body=body))
        await site.client.schedules.trigger("failing:1")
        (result,) = await until_runs(site, "failing:1", ended(1))
        assert result.state is State.FAILED
        assert "exit code 3" in result.reason

    async def test_what_cannot_start_says_why(self, site: Site):
        await site.client.definitions.apply("stopped", QUICK)
        await site.client.schedules.create("broken", "stopped", YEARLY)
        await site.client.definitions.disable("stopped")
        await site.client.schedules.trigger("broken")
        (result,) = await until_runs(site, "broken", ended(1))
        assert (result.state, result.run) == (State.FAILED, None)
        assert result.reason == "definition 'stopped' is disabled; enable it first"

    async def test_a_definition_that_the_catalog_has_left_behind_says_why(self, site: Site):
        agent = site.start_agent("passing", ("passing",), WATERFLOW_HEARTBEAT_TIMEOUT="4s")
        await site.until_online("passing")
        body = "jobs: {work: {runs-on: {agent: passing}, steps: [{run: 'true'}]}}"
        await site.client.definitions.apply("orphan", scheduled(f'{{cron: "{YEARLY}"}}', body=body))
        agent.kill()

        async def removed() -> bool:
            try:
                await site.client.remove_agent("passing")
            except AgentAlive:
                return False  # it still holds its lease
            return True

        await until(removed, "the agent is removed", within=60)
        await site.client.schedules.trigger("orphan:1")
        (result,) = await until_runs(site, "orphan:1", ended(1))
        assert (result.state, result.run) == (State.FAILED, None)
        assert "passing" in result.reason


class TestOverlap:
    async def fire(self, site: Site, overlap: str) -> str:
        """A schedule of runs of a minute that fires every second."""
        await site.client.definitions.apply(overlap, SLOW)
        name = f"overlap-{overlap}"
        await site.client.schedules.create(name, overlap, YEARLY, overlap=overlap)
        await fire_every(site, name, 1)
        return name

    async def end(self, site: Site, name: str) -> None:
        """Stop it all."""
        await site.client.schedules.delete(name)
        for each in await until_runs_of(site, name):
            await site.client.run(each).cancel()

    async def test_skip(self, site: Site):
        name = await self.fire(site, "skip")
        (run,) = await until_runs(site, name, started(1))
        found = await until_schedule(site, name, lambda each: each.skipped >= 2)
        assert [each.run for each in found.recent] == [run.run]
        with pytest.raises(Conflict, match="still runs, and its overlap is skip; wait, or say another overlap"):
            await site.client.schedules.trigger(name)
        await self.end(site, name)

    async def test_queue(self, site: Site):
        name = await self.fire(site, "queue")
        (first,) = await until_runs(site, name, started(1))
        await until_schedule(site, name, lambda each: len(each.recent) == 1)
        assert first.run is not None
        await site.client.run(first.run).cancel()
        second, was = await until_runs(site, name, started(2))
        assert (was.run, was.state) == (first.run, State.CANCELLED)
        assert second.scheduled > first.scheduled
        await self.end(site, name)

    async def test_cancel(self, site: Site):
        name = await self.fire(site, "cancel")
        found = await until_runs(site, name, lambda runs: len(runs) >= 2 and runs[-1].state.ended)
        oldest = found[-1]
        assert oldest.state is State.CANCELLED
        assert oldest.reason == f"schedule {name}: the run was cancelled for its next one"
        await self.end(site, name)

    async def test_allow(self, site: Site):
        name = await self.fire(site, "allow")
        found = await until_runs(site, name, started(3))
        assert {each.state for each in found if each.run} == {State.RUNNING}
        await self.end(site, name)


async def until_runs_of(site: Site, name: str) -> list[str]:
    """The runs of a schedule that have not ended."""
    wanted = f"schedule {name}"
    return [run.id async for run in site.client.runs() if run.started_by == wanted and not run.state.ended]


class TestPause:
    async def test_nothing_is_started_until_it_is_unpaused(self, site: Site):
        await site.client.definitions.apply("paused", QUICK)
        await site.client.schedules.create("pausing", "paused", YEARLY)
        await site.client.schedules.pause("pausing", "maintenance")
        await fire_every(site, "pausing", 1)
        found = await site.client.schedules.get("pausing")
        assert (found.paused, found.reason) == (True, "maintenance")
        await site.client.schedules.trigger("pausing")  # by hand it runs all the same
        await until_runs(site, "pausing", ended(1))
        assert (await site.client.schedules.get("pausing")).started == 1
        await site.client.schedules.unpause("pausing")
        await until_runs(site, "pausing", ended(2))
        assert not (await site.client.schedules.get("pausing")).paused
        await site.client.schedules.delete("pausing")


class TestBackfill:
    async def test_times_that_have_been_run_one_after_the_other(self, site: Site):
        await site.client.definitions.apply("late", QUICK)
        await site.client.schedules.create("filled", "late", "0 * * * *")
        start = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
        times = await site.client.schedules.backfill("filled", start, start + timedelta(hours=2))
        assert times == [start + timedelta(hours=hours) for hours in (0, 1, 2)]
        found = await until_runs(site, "filled", ended(3))
        assert [each.scheduled for each in found] == times[::-1]

    @pytest.mark.parametrize(
        ("hours", "problem"),
        [
            (
                (-87_600, 0),
                "the schedule has 1000 or more times between start and end, and each would be a run; at most "
                "100 are made up for at once",
            ),
            (
                (-240, 0),
                "the schedule has 240 times between start and end, and each would be a run; at most 100 are made "
                "up for at once",
            ),
            ((0, 0), "the start, {now}, is not before the end, {now}"),
            ((-1, 5), "the end, {end}, is to come: a backfill is for times that have been"),
        ],
        ids=["ten-years", "ten-days", "nothing", "future"],
    )
    async def test_a_range_that_cannot_be(self, site: Site, hours: tuple[int, int], problem: str):
        await site.client.definitions.apply("late", QUICK)
        await site.client.schedules.put("bounded", SchedulePut(definition="late", cron="0 * * * *"))
        now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)
        start, end = (now + timedelta(hours=each) for each in hours)
        with pytest.raises(InvalidRequest) as raised:
            await site.client.schedules.backfill("bounded", start, end)
        assert str(raised.value) == problem.format(now=now.isoformat(), end=end.isoformat())


class TestNext:
    async def test_local_time_stays_over_a_change_of_the_clock(self, site: Site):
        """Berlin: 02:30 does not exist on 2027-03-28, and comes twice on 2026-10-25."""
        await site.client.definitions.apply("clocks", QUICK)
        await site.client.schedules.create("berlin", "clocks", "30 9 * * *", timezone="Europe/Berlin")
        times = await site.client.schedules.next("berlin", 100)
        berlin = ZoneInfo("Europe/Berlin")
        assert len(times) == 100
        assert {each.astimezone(berlin).strftime("%H:%M") for each in times} == {"09:30"}
        assert all(
            later.astimezone(berlin).date() - each.astimezone(berlin).date() == timedelta(days=1)
            for each, later in pairwise(times)
        )

    async def test_a_day_of_month_or_a_day_of_week(self, site: Site):
        """POSIX crontab: when both are given, either is enough."""
        await site.client.definitions.apply("either", QUICK)
        await site.client.schedules.create("either", "either", "0 0 13 * 5")
        times = await site.client.schedules.next("either", 20)
        assert all(each.day == 13 or each.weekday() == 4 for each in times)
        assert any(each.day == 13 and each.weekday() != 4 for each in times)
        assert any(each.day != 13 and each.weekday() == 4 for each in times)

    @pytest.mark.parametrize(
        ("cron", "days"),
        [("0 0 * * 7", {6}), ("0 0 * * 5-7", {4, 5, 6}), ("0 0 * * sun", {6}), ("0 0 * jan-dec mon", {0})],
    )
    async def test_days_of_the_week(self, site: Site, cron: str, days: set[int]):
        await site.client.definitions.apply("days", QUICK)
        await site.client.schedules.put("days", SchedulePut(definition="days", cron=cron))
        assert {each.weekday() for each in await site.client.schedules.next("days", 10)} == days

    @pytest.mark.parametrize("cron", ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])
    async def test_shorthands(self, site: Site, cron: str):
        await site.client.definitions.apply("short", QUICK)
        await site.client.schedules.put("short", SchedulePut(definition="short", cron=cron))
        times = await site.client.schedules.next("short")
        assert len(times) >= 5
        assert {(each.minute, each.second) for each in times} == {(0, 0)}

    async def test_february_29(self, site: Site):
        await site.client.definitions.apply("leap", QUICK)
        await site.client.schedules.create("leap", "leap", "0 0 29 2 *")
        assert [each.date().isoformat() for each in await site.client.schedules.next("leap", 2)] == [
            "2028-02-29",
            "2032-02-29",
        ]


class TestBadInput:
    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"cron": "0 2 * *"}, "cron: "),
            ({"cron": "61 2 * * *"}, "cron: "),
            ({"cron": "0 2 30 2 *"}, "`0 2 30 2 *` never fires: no month that it names has a day 30"),
            ({"cron": YEARLY, "timezone": "Mars/Base"}, "timezone: unknown time zone `Mars/Base`"),
            ({"cron": YEARLY, "overlap": "maybe"}, "overlap: "),
            ({"cron": YEARLY, "catch_up": "soon"}, "catch_up: "),
            ({"cron": YEARLY, "vars": {"stray": 1}}, "the workflow has no variable 'stray'"),
            ({"cron": YEARLY, "inputs": {"stray": 1}}, "the workflow has no input 'stray'"),
        ],
        ids=["fields", "minute", "never", "zone", "overlap", "duration", "var", "input"],
    )
    async def test_what_cannot_be(self, site: Site, given: dict[str, object], problem: str):
        await site.client.definitions.apply("judged", QUICK)
        with pytest.raises(InvalidRequest) as raised:
            await site.client.schedules.create("judged", "judged", **given)  # type: ignore[arg-type]
        assert str(raised.value).startswith(problem)

    async def test_a_definition_that_is_not_there(self, site: Site):
        with pytest.raises(NotFound, match="there is no definition 'nothing'"):
            await site.client.schedules.create("lost", "nothing", YEARLY)

    async def test_a_definition_that_needs_a_secret(self, site: Site):
        await site.client.definitions.apply("secretive", "secrets: {TOKEN: {required: true}}\n" + QUICK)
        with pytest.raises(InvalidRequest) as raised:
            await site.client.schedules.create("secretive", "secretive", YEARLY)
        assert str(raised.value) == (
            "definition 'secretive' requires secret 'TOKEN': a run that a schedule starts is given no secrets; "
            "say in the file where it is read, with `from`"
        )

    async def test_a_name_that_is_none(self, site: Site):
        await site.client.definitions.apply("judged", QUICK)
        with pytest.raises(InvalidRequest, match="'a:b' is no name for a schedule"):
            await site.client.schedules.create("a:b", "judged", YEARLY)
