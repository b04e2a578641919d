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
        marks, go = tmp_path / "marks", tmp_path / "go"
        script = f"echo 1 > {marks}; while ! test -e {go}; do sleep 0.05; done"
        running = await site.deliver(site.task("web-01", script), heartbeat=60.0)
        await until_file(marks)
        refusals = {await site.claim(within=3.0), await site.claim(within=3.0)}
        assert refusals <= {"AgentFull: agent web-01 runs 1 of 1 steps", "activity ScheduleToStart timeout"}
        go.touch()
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
        assert await site.claim(within=3.0) in {"activity ScheduleToStart timeout", "activity StartToClose timeout"}
        await handle.execute_update("uncordon", ModeChange())
        assert await site.claim() == "web-01"

    async def test_groups_that_are_assigned_are_polled_at_once(self, site: Site) -> None:
        await site.start_agent("web-01")
        handle = site.client.get_workflow_handle("agent/web-01-id")
        await handle.execute_update("assign", ["eu"])
        assert await site.claim("eu") == "web-01"
