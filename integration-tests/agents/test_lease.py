"""The lease of an agent: how it stays online."""

from __future__ import annotations

from datetime import datetime

from harness.site import until

from waterflow_sdk.wire import AgentStatus

from .conftest import Site


class TestHeartbeats:
    async def test_a_short_time_out_has_as_many_as_it_needs(self, site: Site) -> None:
        await site.start_agent("web-01", "--heartbeat-timeout", "2s")
        beats: set[datetime] = set()
        statuses: set[AgentStatus] = set()

        async def enough() -> bool:
            state = await site.registry.get(site.agent_id("web-01"))
            assert state is not None
            statuses.add(state.status)
            beats.update({state.load.time} if state.load else ())
            return len(beats) > 9  # more than two time-outs have passed

        await until(enough, "it has sent nine heartbeats")
        assert statuses == {AgentStatus.ONLINE}
