"""list, status, logs, cancel, node, agent, version, validate: what they show of what the server says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_cli import ExitCode
from waterflow_sdk.wire import (
    AgentLoad,
    AgentState,
    AgentStatus,
    AttemptState,
    CancelRequest,
    ErrorInfo,
    Health,
    LogEventKind,
    NodeEntry,
    NodeExample,
    NodeManifest,
    RunPage,
    RunSummary,
    State,
    StepState,
    ValidateResponse,
)


@pytest.fixture(autouse=True)
def shop(server: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with a run, a node and an agent, named by the environment."""
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)
    monkeypatch.setenv("TZ", "UTC")
    summary = RunSummary(
        id="r1",
        name="hello",
        state=State.SUCCESS,
        started_by="ann",
        labels=["x", "y"],
        submitted=tools.now,
        ended=tools.now + timedelta(minutes=3, seconds=5),
    )
    server.on("GET /v1/workflows", RunPage(items=[summary]))
    step = StepState(
        path="steps[0]", name="Say hello", state=State.SUCCESS, attempts=[AttemptState(number=1, state=State.SUCCESS)]
    )
    server.on("GET /v1/workflows/r1", tools.run_state(State.SUCCESS, started_by="ann", steps=[step]))
    manifest = NodeManifest(
        name="docker/exec",
        version="1.2.0",
        description="Runs a command in a container.\nMore.",
        inputs={
            "properties": {
                "command": {"type": "string", "description": "What to run"},
                "user": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "pull": {"enum": ["always", "never"]},
            },
            "required": ["command"],
        },
        outputs={"properties": {"code": {"type": ["integer", "null"]}}},
        secret_inputs=["command"],
        capabilities=["docker 20"],
        retry_safe=True,
        confinable=True,
        examples=[NodeExample(title="List files", yaml="uses: docker/exec\n")],
        distribution="waterflow-docker",
    )
    older = msgspec.structs.replace(manifest, version="1.1.0")
    nodes = [NodeEntry(manifest=manifest, agents=["a1", "a2"]), NodeEntry(manifest=older, agents=["a3"])]
    server.on("GET /v1/nodes", nodes)
    server.on("GET /v1/nodes/docker/exec", NodeEntry(manifest=manifest, agents=["a1", "a2"]))
    load = AgentLoad(time=tools.now, running=2, slots=100, load1=0.5, memory_used=2**30, memory_total=2**32)
    agent = AgentState(id="a1", name="web-01", status=AgentStatus.ONLINE, groups=["web"], version="0.1.0", load=load)
    server.on("GET /v1/agents", [agent])
    server.on("GET /v1/agents/a1", agent)
    return server


class TestList:
    def test_table(self, waterflow: Any) -> None:
        lines = waterflow("list").out.splitlines()
        assert lines[0].split() == ["ID", "NAME", "STATE", "SUBMITTED", "DURATION"]
        assert lines[1].split()[:3] == ["r1", "hello", "success"]
        assert lines[1].endswith("3m 05s")

    def test_wide(self, waterflow: Any) -> None:
        assert waterflow("list", "-o", "wide").out.splitlines()[1].endswith("ann         x y")

    def test_json_is_what_the_server_says(self, waterflow: Any) -> None:
        assert [run["id"] for run in json.loads(waterflow("list", "-o", "json").out)] == ["r1"]

    def test_yaml(self, waterflow: Any) -> None:
        assert "- id: r1\n  name: hello\n" in waterflow("list", "-o", "yaml").out

    def test_nothing_is_said_on_stderr(self, waterflow: Any, shop: Any) -> None:
        shop.on("GET /v1/workflows", RunPage(items=[]))
        result = waterflow("list", "--state", "failed")
        assert (result.code, result.out, result.err) == (0, "", "there are no such runs\n")
        assert shop.requests[-1][2] == {"state": "failed", "limit": "20"}

    def test_filters(self, waterflow: Any, shop: Any) -> None:
        shop.on("GET /v1/workflows", RunPage(items=[]))
        since = "2026-11-21T10:00:00+00:00"
        waterflow("list", "--started-by", "ann", "--text", "dep", "--since", since)
        asked = shop.requests[-1][2]
        assert (asked["started_by"], asked["text"], datetime.fromisoformat(asked["since"])) == (
            "ann",
            "dep",
            datetime.fromisoformat(since),
        )


class TestStatus:
    def test_at_a_moment_of_the_past(self, waterflow: Any, shop: Any) -> None:
        assert waterflow("status", "r1", "--at", "2026-11-21T10:00:05+00:00").code == 0
        asked = shop.requests[-1][2]
        assert datetime.fromisoformat(asked["at"]) == datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)

    def test_the_tree(self, waterflow: Any) -> None:
        out = waterflow("status", "r1").out
        assert "hello  r1\nstate      success\n" in out
        assert "\nduration   12s\n" in out
        assert "\nJOB / STEP   HOST    STATE      DURATION  ERROR\n" in out
        assert "\ngreet        web-01  ✓ success  12s\n  Say hello          ✓ success\n" in out

    def test_an_unknown_run_gets_the_nearest_one(self, waterflow: Any, shop: Any) -> None:
        known = RunSummary(id="20261121-k3x9", name="hello", state=State.SUCCESS)
        shop.on("GET /v1/workflows", RunPage(items=[known]))
        shop.on("GET /v1/workflows/20261121-k3x8", (404, "run-not-found", "there is no such run"))
        result = waterflow("status", "20261121-k3x8")
        assert (result.code, result.err) == (
            ExitCode.NOT_FOUND,
            "error: there is no such run\nhint: did you mean 20261121-k3x9?\n",
        )

    def test_a_retry_names_the_run_it_repeats_and_what_it_kept(self, waterflow: Any, shop: Any, tools: Any) -> None:
        state = tools.run_state(State.SUCCESS, link="r0", kept_from="r0")
        shop.on("GET /v1/workflows/r1", state)
        out = waterflow("status", "r1").out
        assert "\nduration   12s\nretry of   r0\n" in out
        assert "\ngreet       web-01  ✓ success  12s       kept from r0\n" in out

    def test_a_run_names_its_retries(self, waterflow: Any, shop: Any, tools: Any) -> None:
        shop.on("GET /v1/workflows/r1", tools.run_state(State.FAILED, retries=["r2", "r3"]))
        assert "\nduration   12s\nretries    r2, r3\n" in waterflow("status", "r1").out

    def test_a_failure_says_where_with_what_and_the_last_lines(self, waterflow: Any, shop: Any, tools: Any) -> None:
        details = {
            "host": "web-01",
            "step": "greet/steps[0]",
            "node": "shell",
            "inputs": {"run": "one\ntwo\n", "count": 2},
            "exit_code": 3,
            "tail": ["tried", "\x1b[2Jfailed"],
        }
        error = ErrorInfo(code="process-failed", message="it ended with exit code 3", details=details)
        shop.on("GET /v1/workflows/r1", tools.run_state(State.FAILED, job_error=error))
        assert waterflow("status", "r1").out.endswith(
            "\n\ngreet: it ended with exit code 3\n"
            "  step greet/steps[0], on web-01, node shell, exit code 3\n"
            "  with run: one\n"
            "    two\n"
            "  with count: 2\n"
            "  last lines of its output:\n"
            "    tried\n"
            "    failed\n"
        )

    def test_a_name_from_outside_cannot_move_the_cursor(self, waterflow: Any, shop: Any, tools: Any) -> None:
        step = StepState(path="steps[0]", name="\x1b[2Jx", state=State.SUCCESS)
        shop.on("GET /v1/workflows/r1", tools.run_state(State.SUCCESS, steps=[step]))
        assert "\x1b" not in waterflow("status", "r1").out


class TestLogs:
    def test_text(self, waterflow: Any, shop: Any, tools: Any) -> None:
        shop.on("GET /v1/workflows/r1/logs", _ndjson(tools.log_lines()))
        result = waterflow("logs", "r1", "--job", "greet", "--grep", "a b", "--tail", "5", "--stream", "stdout")
        assert result.out.splitlines()[1] == "[greet web-01 Say hello] hello"
        assert shop.requests[-1][2] == {"job": "greet", "search": "a b", "tail": "5", "stream": "stdout"}

    def test_progress_is_a_line_of_its_own(self, waterflow: Any, shop: Any, tools: Any) -> None:
        begun = tools.log_lines()[0]
        told = [
            msgspec.structs.replace(begun, event=LogEventKind.PROGRESS, text=text, data=data)
            for text, data in (("half way", {"percent": 50.0}), ("", {"percent": 12.5}), ("soon", {}))
        ]
        shop.on("GET /v1/workflows/r1/logs", _ndjson([begun, *told]))
        assert [line.rpartition("] ")[2] for line in waterflow("logs", "r1").out.splitlines()] == [
            "▶ Say hello",
            "… 50 %: half way",
            "… 12.5 %",
            "… soon",
        ]

    def test_every_filter_is_asked_for(self, waterflow: Any, shop: Any) -> None:
        shop.on("GET /v1/workflows/r1/logs", _ndjson([]))
        given = {"--job": "greet[web-01]", "--step": "build", "--host": "web-01", "--attempt": "2", "--tail": "0"}
        assert waterflow("logs", "r1", *(word for pair in given.items() for word in pair)).code == 0
        asked = {"job": "greet[web-01]", "step": "build", "host": "web-01", "attempt": "2", "tail": "0"}
        assert shop.requests[-1][2] == asked

    def test_json_lines(self, waterflow: Any, shop: Any, tools: Any) -> None:
        shop.on("GET /v1/workflows/r1/logs", _ndjson(tools.log_lines()))
        lines = [json.loads(line) for line in waterflow("logs", "r1", "-o", "json").out.splitlines()]
        assert [line["cursor"] for line in lines] == ["1", "2", "3"]

    def test_follow_says_what_is_missing(self, waterflow: Any, shop: Any, tools: Any) -> None:
        end = b'event: end\ndata: {"state":"success","missing":["r1/greet/steps[0].1"]}\n\n'
        shop.on("GET /v1/workflows/r1/logs", tools.sse(tools.log_lines(), end))
        result = waterflow("logs", "-f", "r1")
        assert result.out.count("\n") == 3
        assert result.err == "not complete: r1/greet/steps[0].1\n"

    @pytest.mark.parametrize("since", ["2026-11-21T10:00:00", "10m"])
    def test_since(self, waterflow: Any, shop: Any, since: str) -> None:
        shop.on("GET /v1/workflows/r1/logs", _ndjson([]))
        assert waterflow("logs", "r1", "--since", since).code == 0
        assert shop.requests[-1][2]["since"].startswith("20")

    def test_since_that_is_neither(self, waterflow: Any) -> None:
        result = waterflow("logs", "r1", "--since", "soon")
        assert (result.code, result.err) == (
            2,
            "error: --since 'soon' is neither a time nor a duration\n"
            "hint: write 2026-11-21T10:00:00, 10:14 or, for so long ago, 30s, 10m, 2h, 1d\n",
        )

    def test_kept_lines_of_a_retry_are_told_apart(self, waterflow: Any, shop: Any, tools: Any) -> None:
        kept = [msgspec.structs.replace(line, kept_from="r0") for line in tools.log_lines()[1:2]]
        shop.on("GET /v1/workflows/r1/logs", _ndjson([*kept, *tools.log_lines()[1:2]]))
        assert waterflow("logs", "r1").out.splitlines() == [
            "── kept from run r0 ──",
            "[greet web-01 steps[0]] hello",
            "── this run ──",
            "[greet web-01 steps[0]] hello",
        ]

    def test_into_a_file(self, waterflow: Any, shop: Any, tools: Any, tmp_path: Path) -> None:
        shop.on("GET /v1/workflows/r1/logs", _ndjson(tools.log_lines()))
        file = tmp_path / "run.log"
        assert (waterflow("logs", "r1", "-o", str(file)).out, file.read_text().count("\n")) == ("", 3)

    def test_into_a_file_that_cannot_be(self, waterflow: Any, tmp_path: Path) -> None:
        result = waterflow("logs", "r1", "-o", str(tmp_path / "no" / "run.log"))
        assert (result.code, result.err) == (
            2,
            f"error: {tmp_path}/no/run.log cannot be written: No such file or directory\n",
        )


class TestCancel:
    def test_it_asks(self, waterflow: Any, shop: Any) -> None:
        shop.on("POST /v1/workflows/r1/cancel", None)
        result = waterflow("cancel", "r1", "--reason", "wrong host", "--force")
        assert (result.code, result.out) == (0, "run r1 is being cancelled\n")
        assert shop.body("POST /v1/workflows/r1/cancel", CancelRequest).reason == "wrong host"

    def test_and_waits(self, waterflow: Any, shop: Any) -> None:
        shop.on("POST /v1/workflows/r1/cancel", None)
        assert waterflow("cancel", "r1", "--wait").out == "run r1 has ended: success\n"

    def test_one_that_has_ended(self, waterflow: Any, shop: Any) -> None:
        shop.on("POST /v1/workflows/r1/cancel", (409, "run-closed", "run r1 has ended already"))
        result = waterflow("cancel", "r1")
        assert (result.code, result.err) == (ExitCode.CONFLICT, "error: run r1 has ended already\n")


class TestNodes:
    def test_list(self, waterflow: Any) -> None:
        assert waterflow("node", "list").out == (
            "NAME         VERSION  AGENTS  DESCRIPTION\n"
            "docker/exec  1.2.0    2       Runs a command in a container.\n"
            "docker/exec  1.1.0    1       Runs a command in a container.\n"
        )

    def test_wide(self, waterflow: Any) -> None:
        assert waterflow("node", "list", "-o", "wide").out.splitlines()[:2] == [
            "NAME         VERSION  AGENTS  NEEDS      FROM              DESCRIPTION",
            "docker/exec  1.2.0    a1 a2   docker 20  waterflow-docker  Runs a command in a container.",
        ]

    def test_info(self, waterflow: Any) -> None:
        out = waterflow("node", "info", "docker/exec").out
        assert out.startswith(
            "docker/exec 1.2.0\n"
            "Runs a command in a container.\n"
            "More.\n"
            "agents: a1, a2\n"
            "version 1.1.0: a3\n"
            "needs: docker 20\n"
            "properties: may be repeated without being asked, may run as another user\n"
            "from: waterflow-docker\n"
        )
        assert "command  string, required, secret           What to run\n" in out
        assert "user     string | null\n" in out
        assert "pull     always | never\n" in out
        assert "code  integer | null" in out
        assert out.endswith("\nList files\nuses: docker/exec\n")

    def test_an_unknown_one(self, waterflow: Any) -> None:
        result = waterflow("node", "info", "nope")
        assert (result.code, result.err.splitlines()[0]) == (ExitCode.NOT_FOUND, "error: there is no /v1/nodes/nope")


class TestAgents:
    def test_list(self, waterflow: Any) -> None:
        assert waterflow("agent", "list").out == (
            "NAME    STATUS  GROUPS  VERSION  REASON\nweb-01  online  web     0.1.0\n"
        )

    def test_status(self, waterflow: Any) -> None:
        out = waterflow("agent", "status", "a1").out
        assert "status   online\n" in out
        assert "memory   1.0 of 4.0 GiB\n" in out


class TestVersion:
    def test_the_server_is_named_where_one_answers(self, waterflow: Any, shop: Any) -> None:
        shop.on("GET /health/ready", Health(status="ok", version="9.9.9"))
        versions = json.loads(waterflow("version", "-o", "json").out)
        assert versions[f"server at {shop.url}"] == "9.9.9"
        assert "waterflow-cli" in versions

    def test_that_none_answers_is_no_error(self, waterflow: Any) -> None:
        result = waterflow("version", "--server", "127.0.0.1:9")
        assert (result.code, result.err) == (0, "")


class TestValidate:
    BAD = "jobs: {a: {stps: [{run: x}]}}\n"

    @pytest.fixture
    def bad(self, tmp_path: Any) -> str:
        path = tmp_path / "bad.yaml"
        path.write_text(self.BAD)
        return str(path)

    def test_a_valid_file(self, waterflow: Any, hello: str) -> None:
        result = waterflow("validate", hello, "--no-server-catalog")
        assert (result.code, result.out, result.err) == (0, f"{hello}: valid\n", "")

    def test_all_files_are_checked(self, waterflow: Any, hello: str, bad: str) -> None:
        result = waterflow("validate", bad, hello, "--no-server-catalog")
        assert result.code == 2
        assert f"{bad}:1:12: error" in result.out
        assert result.out.endswith(f"{hello}: valid\n")

    @pytest.mark.parametrize(
        ("format", "first"),
        [("json", '{\n  "diagnostics": ['), ("sarif", '{\n  "$schema"'), ("github", "::error file=")],
    )
    def test_formats_for_programs(self, waterflow: Any, bad: str, format: str, first: str) -> None:
        result = waterflow("validate", bad, "--no-server-catalog", "-o", format)
        assert (result.code, result.err) == (2, "")
        assert result.out.startswith(first)

    def test_the_catalog_of_a_server_that_answers_is_asked(self, waterflow: Any, shop: Any, hello: str) -> None:
        found = {
            "code": "WF1401",
            "severity": "error",
            "message": "there is no group 'web'",
            "file": hello,
            "line": 3,
            "column": 3,
            "end_line": 3,
            "end_column": 8,
        }
        shop.on("POST /v1/validate", ValidateResponse(valid=False, diagnostics=[found]))
        result = waterflow("validate", hello)
        assert result.code == 2
        assert result.out.startswith(f"{hello}:3:3: error WF1401: there is no group 'web'\n")

    def test_a_server_that_must_answer_but_does_not(self, waterflow: Any, hello: str) -> None:
        result = waterflow("validate", hello, "--server-catalog", "--server", "127.0.0.1:9")
        assert result.code == ExitCode.UNAVAILABLE

    def test_one_that_need_not_is_not_missed(self, waterflow: Any, hello: str) -> None:
        result = waterflow("validate", hello, "--server", "127.0.0.1:9")
        assert (result.code, result.err) == (0, "")


def _ndjson(lines: list[Any]) -> Any:
    import msgspec

    async def handler(_: web.Request) -> web.StreamResponse:
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        return web.Response(body=body, content_type="application/x-ndjson")

    return handler
