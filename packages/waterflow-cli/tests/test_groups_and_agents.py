"""``waterflow group …`` and what ``waterflow agent …`` does to agents."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from waterflow_cli._exit_codes import ExitCode
from waterflow_cli._format import moment
from waterflow_sdk.wire import (
    AgentDuplicate,
    AgentLoad,
    AgentState,
    AgentStatus,
    BrokenNode,
    GroupChange,
    GroupMember,
    GroupsApplied,
    GroupSpec,
    GroupState,
    RunningAttempt,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
WEB_01 = GroupMember(id="a1", name="web-01", status=AgentStatus.ONLINE, sources=["listed", "tags"])
WEB = GroupState(
    name="web",
    description="Web servers",
    agents=["web-01", "web-09"],
    tags=["ssd"],
    target="all",
    version=3,
    size=1,
    online=1,
    members=[WEB_01],
    absent=["web-09"],
)


@pytest.fixture(autouse=True)
def site(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with a group and an agent, named by the environment."""
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)
    monkeypatch.setenv("TZ", "UTC")
    server.on("GET /v1/groups", [WEB, GroupState(name="all-servers", target="all", size=2, online=1)])
    server.on("GET /v1/groups/web", WEB)
    server.on("POST /v1/groups", WEB)
    server.on("POST /v1/groups/web/members", WEB)
    server.on("DELETE /v1/groups/web", WEB)
    return server


def load(second: int, running: int = 0, **more: Any) -> AgentLoad:
    """A heartbeat."""
    return AgentLoad(time=NOW + timedelta(seconds=second), running=running, slots=4, **more)


def agent(**more: Any) -> AgentState:
    """Agent ``web-01``."""
    return AgentState(**{"id": "a1", "name": "web-01", "status": AgentStatus.DRAINING, **more})


class TestGroupList:
    def test_table(self, waterflow: Any) -> None:
        assert waterflow("group", "list").out == (
            "NAME         MEMBERS  ONLINE  TARGET  KEPT BY   DESCRIPTION\n"
            "web          1        1       all     server    Web servers\n"
            "all-servers  2        1       all     built in\n"
        )

    def test_wide_shows_the_rules(self, waterflow: Any) -> None:
        assert "agents: web-01 web-09; tags: ssd" in waterflow("group", "list", "-o", "wide").out


class TestGroupShow:
    def test_rules_and_members(self, waterflow: Any) -> None:
        out = waterflow("group", "show", "web").out
        assert "members      1, 1 online\n" in out
        assert "not there    web-09\n" in out
        assert out.endswith("MEMBER  STATUS  BECAUSE       ID\nweb-01  online  listed, tags  a1\n")

    def test_an_unknown_one(self, waterflow: Any, site: Any) -> None:
        site.on("GET /v1/groups/wep", (404, "group-not-found", "there is no group 'wep'; did you mean 'web'?"))
        result = waterflow("group", "show", "wep")
        assert (result.code, result.err) == (
            ExitCode.NOT_FOUND,
            "error: there is no group 'wep'; did you mean 'web'?\nhint: `waterflow group list` shows the groups\n",
        )


class TestGroupChanges:
    def test_create(self, waterflow: Any, site: Any) -> None:
        result = waterflow(
            *("group", "create", "web", "--agent", "web-01", "--include", "eu", "--tag", "ssd", "--target", "all")
        )
        assert result.out == "group web is made; it has 1 member, 1 online\n"
        assert result.err == "warning: there is no agent 'web-09' yet\n"
        assert json.loads(site.requests[-1][1]) == {
            "name": "web",
            "agents": ["web-01"],
            "include_groups": ["eu"],
            "tags": ["ssd"],
            "target": "all",
        }

    def test_create_by_tag(self, waterflow: Any, site: Any) -> None:
        waterflow("group", "create-by-tag", "web", "env=prod", "!gpu")
        assert json.loads(site.requests[-1][1]) == {"name": "web", "tags": ["env=prod", "!gpu"]}

    def test_add(self, waterflow: Any, site: Any) -> None:
        assert waterflow("group", "add", "web", "web-01", "web-09").out == "group web has 1 member, 1 online\n"
        assert json.loads(site.requests[-1][1]) == {"add": ["web-01", "web-09"]}

    def test_remove_says_who_stays_and_why(self, waterflow: Any, site: Any) -> None:
        result = waterflow("group", "remove", "web", "web-01")
        assert result.err == "warning: web-01 stays a member of web: listed, tags\n"
        assert json.loads(site.requests[-1][1]) == {"remove": ["web-01"]}

    def test_delete(self, waterflow: Any) -> None:
        assert waterflow("group", "delete", "web").out == "group web is deleted\n"


class TestGroupApply:
    APPLIED = GroupsApplied(
        changes=[
            GroupChange(
                name="app",
                action="update",
                before=GroupSpec(name="app", agents=["a", "b"]),
                after=GroupSpec(name="app", agents=["b", "c"], target="all"),
            ),
            GroupChange(name="db", action="delete", before=GroupSpec(name="db", tags=["ssd"])),
            GroupChange(name="web", action="create", after=GroupSpec(name="web", tags=["env=prod"])),
        ],
        unchanged=["eu"],
        warnings=[{"message": "group 'app' lists agent 'c'", "file": "g.yml", "line": 3, "column": 5}],
        dry_run=True,
    )

    def test_the_difference_is_shown(self, waterflow: Any, site: Any, tmp_path: Path) -> None:
        file = tmp_path / "g.yml"
        file.write_text("server_groups: []")
        site.on("POST /v1/groups/apply", self.APPLIED)
        result = waterflow("group", "apply", "-f", str(file), "--dry-run", "--prune")
        assert result.out == (
            "~ app\n"
            "    agents: -a +c\n"
            "    target: any → all\n"
            "- db\n"
            "    tags: -ssd\n"
            "+ web\n"
            "    tags: +env=prod\n"
            "groups would be: 1 new, 1 changed, 1 deleted, 1 unchanged\n"
        )
        assert result.err == "warning: g.yml:3:5: group 'app' lists agent 'c'\n"
        assert json.loads(site.requests[-1][1]) == {
            "yaml": "server_groups: []",
            "filename": str(file),
            "dry_run": True,
            "prune": True,
        }

    def test_what_is_wrong_with_the_file(self, waterflow: Any, site: Any, tmp_path: Path) -> None:
        file = tmp_path / "g.yml"
        file.write_text("x")
        site.on("POST /v1/groups/apply", (422, "invalid-groups", "g.yml:1:1: unknown key `x`"))
        result = waterflow("group", "apply", "-f", str(file))
        assert (result.code, result.err) == (ExitCode.USAGE, "error: g.yml:1:1: unknown key `x`\n")


class TestAgentModes:
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("cordon", "agent web-01 is cordoned; `waterflow agent uncordon a1` gives it work again\n"),
            ("drain", "agent web-01 is draining\n"),
        ],
    )
    def test_with_a_reason(self, waterflow: Any, site: Any, command: str, said: str) -> None:
        site.on(f"POST /v1/agents/a1/{command}", agent())
        assert waterflow("agent", command, "a1", "--reason", "disk").out == said
        assert json.loads(site.requests[-1][1]) == {"reason": "disk"}

    def test_uncordon(self, waterflow: Any, site: Any) -> None:
        site.on("POST /v1/agents/a1/uncordon", agent())
        assert waterflow("agent", "uncordon", "a1").out == "agent web-01 gets work again\n"


class TestDrainWait:
    def answers(self, site: Any, *loads: AgentLoad) -> None:
        """These heartbeats, one after the other."""
        site.on("POST /v1/agents/a1/drain", agent(load=loads[0]))
        site.on("GET /v1/agents/a1", *(agent(load=load) for load in loads))

    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("waterflow_cli._drained._POLL", 0.01)

    def test_two_heartbeats_without_work(self, waterflow: Any, site: Any) -> None:
        self.answers(site, load(0), load(5, running=1), load(10, held=1), load(15), load(20))
        assert waterflow("agent", "drain", "a1", "--wait").out == "agent web-01 is drained: nothing runs there\n"
        assert len(site.requests) == 6

    def test_an_agent_that_is_offline_is_empty(self, waterflow: Any, site: Any) -> None:
        self.answers(site, load(0, running=1))
        site.on("GET /v1/agents/a1", agent(status=AgentStatus.OFFLINE))
        assert waterflow("agent", "drain", "a1", "--wait").code == 0

    def test_too_long(self, waterflow: Any, site: Any) -> None:
        self.answers(site, load(0, running=1), load(5, running=2))
        result = waterflow("agent", "drain", "a1", "--wait", "--timeout", "0.2")
        assert (result.code, result.err) == (
            ExitCode.TIMED_OUT,
            "error: agent web-01 still runs 2 steps after 0.2 s\n"
            "hint: it stays drained; `waterflow agent status a1` shows what runs\n",
        )

    def test_a_timeout_without_wait(self, waterflow: Any) -> None:
        assert waterflow("agent", "drain", "a1", "--timeout", "5").err == (
            "error: --timeout is for --wait only\nhint: add --wait\n"
        )


class TestAgentRemove:
    def test_it_is_forgotten(self, waterflow: Any, site: Any) -> None:
        site.on("DELETE /v1/agents/a1", agent())
        assert waterflow("agent", "remove", "a1").out == "agent a1 is removed\n"

    def test_a_living_one(self, waterflow: Any, site: Any) -> None:
        site.on("DELETE /v1/agents/a1", (409, "agent-alive", "agent 'web-01' is online"))
        result = waterflow("agent", "remove", "a1")
        assert (result.code, result.err.splitlines()[0]) == (ExitCode.CONFLICT, "error: agent 'web-01' is online")


class TestAgentStatus:
    def test_what_runs_there(self, waterflow: Any, site: Any) -> None:
        attempt = RunningAttempt(run="r1", job="deploy", step="steps[0]", attempt=2, since=NOW)
        site.on("GET /v1/agents/a1", agent(load=load(0, running=1, attempts=[attempt])))
        out = waterflow("agent", "status", "a1").out
        assert "\nRunning\nRUN  JOB     STEP      ATTEMPT  SINCE\nr1   deploy  steps[0]  2" in out

    def test_broken_nodes_with_their_traceback(self, waterflow: Any, site: Any) -> None:
        broken = [
            BrokenNode(name="x.py", source="x.py", reason="it raises", traceback="Traceback …\n  y\nKeyError: 'z'\n"),
            BrokenNode(name="slack/notify", source="b 1.0", reason="it is claimed by a 1.0 and by b 1.0"),
        ]
        site.on("GET /v1/agents/a1", agent(broken_nodes=broken))
        out = waterflow("agent", "status", "a1").out
        assert "x.py          x.py   it raises (KeyError: 'z')\n" in out
        assert "slack/notify  b 1.0  it is claimed by a 1.0 and by b 1.0\n" in out
        assert out.endswith("\n\nx.py\nTraceback …\n  y\nKeyError: 'z'\n")

    def test_where_it_lives_and_who_else_has_its_id(self, waterflow: Any, site: Any) -> None:
        other = AgentDuplicate(incarnation="i2", name="web-01", host="web-02", directory="/srv/b", process=9, time=NOW)
        site.on("GET /v1/agents/a1", agent(host="web-01", directory="/srv/a", process=7, duplicate=other))
        rows = [line.split(maxsplit=1) for line in waterflow("agent", "status", "a1").out.splitlines()]
        assert ["place", "process 7, state directory /srv/a"] in rows
        assert [
            "same",
            f"id  refused at {moment(NOW)}: host web-02, process 9, state directory /srv/b; stop it, or give it an id "
            "of its own",
        ] in rows

    def test_a_list_of_some(self, waterflow: Any, site: Any) -> None:
        site.on("GET /v1/agents", [])
        result = waterflow("agent", "list", "--group", "web", "--tag", "ssd", "--status", "offline")
        assert (result.code, result.err) == (0, "there are no such agents\n")
        assert site.requests[-1][2] == {"group": "web", "tag": "ssd", "status": "offline"}

    def test_a_list_points_to_it(self, waterflow: Any, site: Any) -> None:
        other = AgentDuplicate(incarnation="i2", host="web-02")
        site.on("GET /v1/agents", [agent(reason="disk", duplicate=other), agent(id="a2", duplicate=other)])
        first, second = waterflow("agent", "list").out.splitlines()[1:]
        assert first.endswith("  disk; another agent has the same id; see `waterflow agent status a1`")
        assert second.endswith("  another agent has the same id; see `waterflow agent status a2`")
