"""Who takes a job: a member with a free slot that has the nodes."""

from __future__ import annotations

from pathlib import Path

from waterflow_server.presence import ModeChange

from .conftest import Site, until_file


class TestClaim:
    async def test_by_a_member_with_a_free_slot(self, site: Site) -> None:
        await site.start_agent("web-01", "--slots", "1")
        assert await site.claim() == "web-01"

    async def test_a_full_agent_is_not_asked_or_refuses(self, site: Site, tmp_path: Path) -> None:
        await site.start_agent("web-01", "--slots", "1")
        marks = tmp_path / "marks"
        running = await site.deliver(site.task("web-01", f"echo 1 > {marks}; sleep 8"), heartbeat=30.0)
        await until_file(marks)
        refusals = {await site.claim(), await site.claim()}
        assert refusals <= {"AgentFull: agent web-01 runs 1 of 1 steps", "activity ScheduleToStart timeout"}
        await running.result()
        assert await site.claim() == "web-01"

    async def test_without_the_node(self, site: Site) -> None:
        await site.start_agent("web-01")
        assert await site.claim(nodes=["shell", "slack/notify"]) == (
            "NodeMissing: agent web-01 has no node 'slack/notify'"
        )

    async def test_a_cordoned_agent_takes_none(self, site: Site) -> None:
        await site.start_agent("web-01")
        handle = site.client.get_workflow_handle("agent/web-01-id")
        await handle.execute_update("cordon", ModeChange(reason="test"))
        # A poll that was still open when the agent was cordoned may swallow the claim; nobody takes it either way.
        assert await site.claim() in {"activity ScheduleToStart timeout", "activity StartToClose timeout"}
        await handle.execute_update("uncordon", ModeChange())
        assert await site.claim() == "web-01"

    async def test_groups_that_are_assigned_are_polled_at_once(self, site: Site) -> None:
        await site.start_agent("web-01")
        handle = site.client.get_workflow_handle("agent/web-01-id")
        await handle.execute_update("assign", ["eu"])
        assert await site.claim("eu") == "web-01"
