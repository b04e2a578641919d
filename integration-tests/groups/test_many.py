"""Many agents at once: they come together, hear of a change, come back after an outage, and a third of them is lost.

`python -m benchmarks.presence` has the figures, with 300 of them; nothing here is timed. The long form, with the mark
`soak`, is of 300 too.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from benchmarks._fleet import hosts, told
from benchmarks._simulated import Orders
from harness import Site
from harness.site import PATIENCE, until

from waterflow_sdk.client import WaterflowError
from waterflow_sdk.wire import AgentStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROCESSES = 3


async def statuses(site: Site) -> dict[str, AgentStatus]:
    """Of the simulated agents, by name; empty while the server has no contact to Temporal."""
    try:
        return {agent.name: agent.status for agent in await site.client.agents() if "many" in agent.groups}
    except WaterflowError:
        return {}


async def until_online(site: Site, names: set[str], within: float) -> None:
    """Wait until exactly these are online; the others are shown as offline."""

    async def online() -> bool:
        shown = await statuses(site)
        return {name for name, status in shown.items() if status is AgentStatus.ONLINE} == names

    await until(online, f"{len(names)} agents are online", within)


async def outage(site: Site, seconds: float) -> None:
    """Temporal is killed, and comes back after the leases of all agents have run out.

    That they are offline in between may be over before anybody looks, or not be shown at all.
    """
    site.temporal.kill()
    await asyncio.sleep(seconds)
    await site.temporal.restart()


async def live_through(site: Site, count: int, heartbeat_timeout: float, within: float) -> None:
    """Start, a change for all, an outage that costs all their leases, and the loss of a third."""
    orders = Orders(
        names=[f"sim-{number:03}" for number in range(count)],
        temporal=site.temporal.address,
        keys=str(site.root / "keys.json"),
        groups=["many"],
        tags=["simulated"],
        heartbeat_timeout=heartbeat_timeout,
    )
    async with AsyncExitStack() as stack:
        fleet = await hosts(stack, orders, PROCESSES, site.root / "simulated.log")
        await until_online(site, {*orders.names}, within)
        await site.client.groups.create("everyone", tags=["simulated"])
        await told(fleet, orders.names, "everyone", within * PATIENCE)
        made = await site.client.groups.get("everyone")
        assert made.size == count

        await outage(site, heartbeat_timeout + 1)
        await until_online(site, {*orders.names}, within)
        await site.client.groups.create("afterwards", tags=["simulated"])
        await told(fleet, orders.names, "afterwards", within * PATIENCE)

        fleet[0].kill()
        await until_online(site, {*orders.names} - {*fleet[0].names}, within)
        lost = next(agent for agent in await site.client.agents() if agent.name == fleet[0].names[0])
        seconds = f"{heartbeat_timeout:g} s"
        # The second one on a machine so busy that it had just lost its lease when it was killed.
        reasons = (f"no heartbeat for {seconds}", f"it did not answer on its control queue within {seconds}")
        assert lost.reason.startswith(reasons)


class TestManyAgents:
    @pytest.mark.alone
    @pytest.mark.timeout(1500)
    async def test_come_hear_return_and_are_missed(self, site: Site) -> None:
        await live_through(site, 60, heartbeat_timeout=8.0, within=60)

    @pytest.mark.soak
    @pytest.mark.timeout(4000)
    async def test_three_hundred(self, site: Site) -> None:
        await live_through(site, 300, heartbeat_timeout=15.0, within=600)
