"""Temporal's own view of a site's schedules: to make them fire every second, and to break what servers keep in line."""

from datetime import timedelta

from harness import Site
from temporalio.client import Client, ScheduleIntervalSpec, ScheduleSpec, ScheduleUpdate, ScheduleUpdateInput

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_server._converter import data_converter


async def connect(site: Site) -> Client:
    """A client that reads what servers and agents of the site say to each other."""
    ring = KeyRing.load(site.root / "keys.json")
    return await Client.connect(site.temporal.address, data_converter=data_converter(PayloadCodec(ring)))


async def fire_every(site: Site, name: str, seconds: float) -> None:
    """Let a schedule fire every so many seconds: files have no less than a minute."""

    def often(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = found.description.schedule
        schedule.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=seconds))])
        return ScheduleUpdate(schedule)

    await (await connect(site)).get_schedule_handle(f"schedule/{name}").update(often)
