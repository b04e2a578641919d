"""``waterflow watch``: events as lines or as JSON, to the end of the run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_cli import ExitCode
from waterflow_sdk.wire import AgentRef, EventKind, RunEnd, RunEvent, State

EVENTS = "GET /v1/workflows/r1/events"


def _events(tools: Any) -> list[RunEvent]:
    step: dict[str, Any] = {"path": "deploy[web-01]/steps[2].then[0]", "time": tools.now + timedelta(seconds=5)}
    return [
        RunEvent(id="1", kind=EventKind.RUN, state=State.RUNNING, time=tools.now),
        RunEvent(
            id="2",
            kind=EventKind.JOB,
            state=State.RUNNING,
            time=tools.now,
            path="deploy[web-01]",
            agent=AgentRef(id="a1", name="web-01"),
        ),
        RunEvent(id="3", kind=EventKind.PROGRESS, state=State.RUNNING, reason="half", data={"percent": 50.0}, **step),
        RunEvent(id="4", kind=EventKind.ATTEMPT, state=State.FAILED, attempt=1, reason="exit\ncode 3", **step),
        RunEvent(id="5", kind=EventKind.APPROVAL, state=State.SUCCESS, data={"by": "ann"}, **step),
    ]


def _stream(events: list[RunEvent], state: State) -> Any:
    body = b"".join(b"event: %b\ndata: %b\n\n" % (each.kind.encode(), msgspec.json.encode(each)) for each in events)
    body += b"event: end\ndata: " + msgspec.json.encode(RunEnd(state=state)) + b"\n\n"

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/event-stream")

    return handler


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    monkeypatch.setenv("WATERFLOW_SERVER", server.url)


def test_a_line_for_each_event(waterflow: Any, server: Any, tools: Any) -> None:
    server.on(EVENTS, _stream(_events(tools), State.SUCCESS))
    result = waterflow("watch", "r1")
    begun, later = ((tools.now + timedelta(seconds=each)).astimezone().strftime("%H:%M:%S") for each in (0, 5))
    assert result.out.splitlines() == [
        f"{begun}  run  ● running",
        f"{begun}  deploy[web-01]  ● running  web-01",
        f"{later}  deploy[web-01]/steps[2].then[0]  50 %  half",
        f"{later}  deploy[web-01]/steps[2].then[0]#1  ✗ failed  exit code 3",
        f"{later}  deploy[web-01]/steps[2].then[0] approval  ✓ success  by ann",
    ]
    assert result.code == 0


def test_json_has_an_object_on_each_line(waterflow: Any, server: Any, tools: Any) -> None:
    server.on(EVENTS, _stream(_events(tools), State.SUCCESS))
    lines = waterflow("watch", "r1", "--format", "json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["1", "2", "3", "4", "5"]


def test_only_some_kinds(waterflow: Any, server: Any, tools: Any) -> None:
    server.on(EVENTS, _stream(_events(tools), State.SUCCESS))
    lines = waterflow("watch", "r1", "--format", "json", "--only", "run", "--only", "job").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["1", "2"]


@pytest.mark.parametrize(("state", "code"), [(State.FAILED, ExitCode.FAILED), (State.CANCELLED, ExitCode.CANCELLED)])
def test_the_exit_code_is_the_result(waterflow: Any, server: Any, state: State, code: ExitCode) -> None:
    server.on(EVENTS, _stream([], state))
    assert waterflow("watch", "r1").code == code


def test_an_unknown_run(waterflow: Any, server: Any) -> None:
    server.on(EVENTS, (404, "run-not-found", "there is no run 'r1'"))
    result = waterflow("watch", "r1")
    assert (result.code, result.err.splitlines()[0]) == (ExitCode.NOT_FOUND, "error: there is no run 'r1'")
