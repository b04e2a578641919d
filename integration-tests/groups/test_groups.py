"""Groups that the server keeps, on a whole site: files, tags, capabilities, `target: all`, who gets work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from harness import Site
from harness.site import until

from waterflow_sdk.client import GroupNotFound, InvalidWorkflow
from waterflow_sdk.wire import AgentStatus, RunState, State

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "server-groups.yml"


def workflow(runs_on: str, run: str = "echo hello", more: str = "") -> str:
    """One job with one step."""
    return f"jobs:\n  job:\n    runs-on: {runs_on}\n    {more}\n    steps:\n      - run: {run}\n"


def hosts(run: RunState) -> list[str]:
    """The agents that its job instances ran on."""
    return sorted(instance.agent.name for instance in run.jobs if instance.agent)


class TestApply:
    async def test_the_example(self, site: Site) -> None:
        applied = await site.client.groups.apply(EXAMPLE.read_text(), filename=EXAMPLE.name)
        assert [change.name for change in applied.changes] == ["canary", "containers", "prod-web", "web"]
        assert applied.warnings == []
        found = await site.client.groups.get("prod-web")
        assert [(member.name, member.sources) for member in found.members] == [
            ("web-01", ["included"]),
            ("web-02", ["included"]),
        ]
        # The agents have been told when the answer is there: a run can start at once, on every member.
        run = await site.run(workflow("prod-web"))
        assert (run.state, hosts(run)) == (State.SUCCESS, ["web-01", "web-02"])
        run = await site.run(workflow("canary"))
        assert (run.state, hosts(run)) == (State.SUCCESS, ["web-01"])

    async def test_a_file_named_in_the_settings(self, site: Site, tmp_path: Path) -> None:
        file = tmp_path / "server-groups.yml"
        file.write_text("server_groups: [{name: from-file, agents: [web-02]}]")
        site.kill_server()
        site.server_environ["WATERFLOW_GROUPS_FILE"] = str(file)
        await site.start_server()

        async def there() -> bool:
            return any(group.name == "from-file" for group in await site.client.groups.list())

        await until(there, "the group of the file is there")
        assert hosts(await site.run(workflow("from-file"))) == ["web-02"]


class TestTarget:
    async def test_the_words_of_a_job_go_before_those_of_its_group(self, site: Site) -> None:
        await site.client.groups.create("everyone", include_groups=["hosts"], target="all")
        assert hosts(await site.run(workflow("everyone"))) == ["web-01", "web-02"]
        assert len(hosts(await site.run(workflow("{group: everyone, target: any}")))) == 1
        assert len(hosts(await site.run(workflow("hosts")))) == 1

    async def test_the_built_in_group_is_every_agent(self, site: Site) -> None:
        site.start_agent("alone", ())
        await site.until_online("alone")
        assert hosts(await site.run(workflow("all-servers"))) == ["alone", "web-01", "web-02"]

    async def test_with_tags_every_member_that_has_them(self, site: Site) -> None:
        site.start_agent("web-03", ("hosts",), TAGS="ssd")
        await site.until_online("web-03")
        await site.client.groups.create("everyone", include_groups=["hosts"], target="all")
        assert hosts(await site.run(workflow("{group: everyone, tags: [ssd]}"))) == ["web-03"]

    async def test_two_groups_mean_all_only_if_both_do(self, site: Site) -> None:
        await site.client.groups.create("one", agents=["web-01"], target="all")
        await site.client.groups.create("two", agents=["web-02"], target="all")
        await site.client.groups.create("three", agents=["web-02"])
        assert hosts(await site.run(workflow("{group: [one, two]}"))) == ["web-01", "web-02"]
        assert len(hosts(await site.run(workflow("{group: [one, three]}")))) == 1


class TestMembership:
    async def test_a_change_reaches_living_agents_without_restart(self, site: Site) -> None:
        await site.client.groups.create("eu")
        await site.client.groups.add("eu", "web-02")
        assert hosts(await site.run(workflow("eu"))) == ["web-02"]
        await site.client.groups.remove("eu", "web-02")
        await site.client.groups.add("eu", "web-01")
        assert hosts(await site.run(workflow("eu"))) == ["web-01"]

    async def test_a_tool_that_comes_makes_its_host_a_member(self, site: Site, tmp_path: Path) -> None:
        tools = tmp_path / "tools"
        tools.mkdir()
        await site.client.groups.create("node-hosts", tags=["node"])
        site.start_agent("bare-01", ("hosts",), PATH=str(tools))
        await site.until_online("bare-01")
        assert "node" not in (await site.client.agent("bare-01")).capabilities
        node = tools / ".new"
        node.write_text("#!/bin/sh\necho v20.11.1\n")
        node.chmod(0o755)
        node.rename(tools / "node")

        async def member() -> bool:
            return "bare-01" in {member.name for member in (await site.client.groups.get("node-hosts")).members}

        await until(member, "the host with the new tool is a member")
        assert (await site.client.agent("bare-01")).capabilities["node"] == "20.11.1"

    async def test_groups_outlive_the_server(self, site: Site) -> None:
        await site.client.groups.create("eu", agents=["web-01"])
        site.kill_server()
        site.start_agent("web-03", ("hosts",))
        await site.start_server()
        await site.client.groups.add("eu", "web-03")
        await site.until_online("web-03")
        assert {member.name for member in (await site.client.groups.get("eu")).members} == {"web-01", "web-03"}


class TestCatalog:
    async def test_an_unknown_group_gets_the_nearest_name(self, site: Site) -> None:
        await site.client.groups.create("prod-web")
        with pytest.raises(InvalidWorkflow) as raised:
            await site.submit(workflow("prod-wep"))
        assert raised.value.diagnostics[0]["hint"] == "did you mean `prod-web`?"

    async def test_an_empty_group_is_known(self, site: Site) -> None:
        await site.client.groups.create("nobody")
        assert (await site.client.validate(workflow("nobody", more="offline: skip"))).valid

    async def test_a_deleted_one_is_not(self, site: Site) -> None:
        await site.client.groups.create("gone")
        await site.client.groups.delete("gone")
        with pytest.raises(InvalidWorkflow):
            await site.submit(workflow("gone"))
        with pytest.raises(GroupNotFound):
            await site.client.groups.get("gone")


class TestWhoGetsWork:
    async def test_cordoned_members_get_none(self, site: Site) -> None:
        await site.client.cordon_agent("web-01", "disk is failing")
        for _ in range(3):
            assert hosts(await site.run(workflow("hosts"))) == ["web-02"]
        run = await site.run(workflow("{group: hosts, target: all}", more="offline: skip"))
        done = [instance for instance in run.jobs if instance.state is State.SUCCESS]
        assert [instance.agent.name for instance in done if instance.agent] == ["web-02"]
        await site.client.uncordon_agent("web-01")
        run = await site.run(workflow("{group: hosts, target: all}"))
        assert (run.state, hosts(run)) == (State.SUCCESS, ["web-01", "web-02"])

    async def test_what_runs_goes_on_and_is_shown(self, site: Site, tmp_path: Path) -> None:
        go = tmp_path / "go"
        wait = json.dumps(f"until [ -e {go} ]; do sleep 0.1; done")
        run = await site.submit(workflow("{agent: web-01}", run=wait))

        async def shown() -> bool:
            load = (await site.client.agent("web-01")).load
            return bool(load and [(each.run, each.job, each.attempt) for each in load.attempts] == [(run.id, "job", 1)])

        await until(shown, "the running attempt is shown")
        drained = await site.client.drain_agent("web-01", "new kernel")
        assert (drained.status, drained.reason) == (AgentStatus.DRAINING, "new kernel")
        await asyncio.to_thread(go.touch)
        assert (await run.wait(180)).state is State.SUCCESS

        async def empty() -> bool:
            load = (await site.client.agent("web-01")).load
            return load is not None and load.running + load.held == 0

        await until(empty, "nothing runs there any more")
