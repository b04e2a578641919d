"""Workflows that are scheduled in tests."""

import asyncio
from collections.abc import Callable

from harness import Site
from harness.site import until

from waterflow_sdk.wire import ScheduleInfo, ScheduleRun

QUICK = "jobs: {work: {runs-on: web, steps: [{run: 'true'}]}}"
SLOW = "jobs: {work: {runs-on: web, steps: [{run: sleep 60}]}}"
YEARLY = "0 0 1 1 *"
"""Does not come while a test runs."""


def scheduled(*entries: str, body: str = QUICK) -> str:
    """A file with schedules."""
    return f"on: {{schedule: [{', '.join(entries)}]}}\n{body}"


async def until_runs(site: Site, name: str, enough: Callable[[list[ScheduleRun]], bool]) -> list[ScheduleRun]:
    """What came of the last times of a schedule, once it is enough."""
    found: list[ScheduleRun] = []

    async def there() -> bool:
        nonlocal found
        found = (await site.client.schedules.get(name)).recent
        return enough(found)

    await until(there, f"enough runs of {name}", within=60)
    return found


async def until_schedule(site: Site, name: str, right: Callable[[ScheduleInfo], bool]) -> ScheduleInfo:
    """The schedule, once it is right."""
    async with asyncio.timeout(240):
        while not right(found := await site.client.schedules.get(name)):
            await asyncio.sleep(0.1)
    return found


def ended(number: int) -> Callable[[list[ScheduleRun]], bool]:
    """So many runs, and all have ended."""
    return lambda found: len(found) >= number and all(each.state.ended for each in found)


def started(number: int) -> Callable[[list[ScheduleRun]], bool]:
    """So many runs are there, by id."""
    return lambda found: len([each for each in found if each.run]) >= number
