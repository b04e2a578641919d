"""The lease of an agent: how it stays online."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.site import until

from waterflow_sdk.wire import AgentStatus

from .conftest import Site

NEVER = datetime.fromtimestamp(0, UTC)


class TestHeartbeats:
    async def test_a_short_time_out_has_as_many_as_it_needs(self, site: Site) -> None:
        await site.start_agent("web-01", "--heartbeat-timeout", "5s")
        beats: set[datetime] = set()
        statuses: set[AgentStatus] = set()

        async def enough() -> bool:
            state = await site.registry.get(site.agent_id("web-01"))
            assert state is not None
            statuses.add(state.status)
            beats.update({state.load.time} if state.load else ())
            return max(beats, default=NEVER) - min(beats, default=NEVER) > timedelta(seconds=10)

        await until(enough, "it has sent heartbeats for two time-outs")
        assert statuses == {AgentStatus.ONLINE}
