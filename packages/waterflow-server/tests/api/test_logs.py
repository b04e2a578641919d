"""``/v1/logs`` and ``/v1/workflows/{id}/logs``: in by offset; out as text, NDJSON and live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import (
    AttemptState,
    JobState,
    LogLine,
    LogRecord,
    LogRef,
    LogStreamKind,
    RunState,
    State,
    StepState,
)
from waterflow_server import Services
from waterflow_server.api._log_formats import events
from waterflow_server.api._run_reader import run_reader
from waterflow_server.logs import Follower, LogBatch, LogQuery, RunLog

from .conftest import TIME, Client, RunsInMemory

Follow = Callable[[], asyncio.Task[bytes]]

STREAM = "r1/deploy[web-01]/steps[0].1"


def record(text: str, stream: LogStreamKind = LogStreamKind.STDOUT) -> bytes:
    return msgspec.json.encode(LogRecord(time=TIME, stream=stream, text=text)) + b"\n"


def run(state: State, *logs: LogRef) -> RunState:
    attempts = [AttemptState(number=1, state=state, log=log) for log in logs]
    inner = StepState(path="steps[0]", name="s", state=state, id="build", attempts=attempts)
    block = StepState(path="steps[1]", name="b", state=state, steps=[inner])
    job = JobState(id="deploy", instance="deploy[web-01]", name="deploy", state=state, steps=[block])
    return RunState(id="r1", name="deploy", state=state, jobs=[job])


async def send(client: Client, data: bytes, offset: int = 0, stream: str = STREAM) -> Any:
    return await client.put(f"/v1/logs/{stream}", params={"offset": offset, "agent": "web-01"}, content=data)


class TestIngest:
    async def test_the_answer_is_the_length_of_the_stream(self, client: Client) -> None:
        answer = await send(client, record("one"))
        assert (answer.status_code, answer.json()) == (200, {"offset": len(record("one"))})

    async def test_a_gap_says_where_to_go_on(self, client: Client) -> None:
        answer = await send(client, record("one"), offset=10)
        assert (answer.status_code, answer.json()["code"], answer.json()["expected"]) == (409, "log-offset", 0)

    async def test_names_may_hold_slashes_that_follow_each_other(self, client: Client, services: Services) -> None:
        name = "r1/check[http://a/b]/steps[0].1"
        answer = await send(client, record("one"), stream="r1/check%5Bhttp:%2F%2Fa%2Fb%5D/steps%5B0%5D.1")
        assert answer.status_code == 200
        assert await services.logs.stream_sizes("r1") == {name: len(record("one"))}

    @pytest.mark.parametrize("stream", ["r1", "r1/j/s", "r1/j/s.x", "..%2Fr1/j/s.1"])
    async def test_what_is_no_stream_is_refused(self, client: Client, stream: str) -> None:
        answer = await send(client, record("one"), stream=stream)
        assert (answer.status_code, answer.json()["code"]) == (400, "log-stream")

    async def test_a_run_id_that_cannot_be(self, client: Client) -> None:
        answer = await send(client, record("one"), stream=".r1/j/s.1")
        assert (answer.status_code, answer.json()["code"]) == (404, "run-id")

    async def test_what_is_no_record_is_refused(self, client: Client) -> None:
        answer = await send(client, b'{"text":"x"}\n')
        assert (answer.status_code, answer.json()["code"]) == (422, "log-chunk")
        assert answer.json()["detail"] == (
            "line 1 of the chunk is not a log record: Object missing required field `time`"
        )

    async def test_too_much_at_once_is_refused(self, client: Client) -> None:
        answer = await send(client, b"x" * (4 * 1024 * 1024 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    @pytest.mark.parametrize(("given", "missing"), [("offset=0", "agent"), ("agent=web-01", "offset")])
    async def test_offset_and_agent_are_needed(self, client: Client, given: str, missing: str) -> None:
        answer = await client.put(f"/v1/logs/{STREAM}?{given}", content=record("one"))
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"Missing required query parameter {missing!r}"


class TestRead:
    @pytest.fixture(autouse=True)
    async def log(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.RUNNING)
        await send(client, record("out") + record("err", LogStreamKind.STDERR))

    async def test_text(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/r1/logs")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == (
            "2026-11-21T10:00:00.000Z deploy[web-01] steps[0] stdout out\n"
            "2026-11-21T10:00:00.000Z deploy[web-01] steps[0] stderr err\n"
        )

    @pytest.mark.parametrize(
        ("query", "headers"), [("", {"accept": "application/x-ndjson"}), ("?format=ndjson", {"accept": "text/plain"})]
    )
    async def test_ndjson(self, client: Client, query: str, headers: dict[str, str]) -> None:
        answer = await client.get(f"/v1/workflows/r1/logs{query}", headers=headers)
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [msgspec.json.decode(line, type=LogLine) for line in answer.content.splitlines()]
        assert [(line.text, line.agent, line.stream.value) for line in lines] == [
            ("out", "web-01", "stdout"),
            ("err", "web-01", "stderr"),
        ]

    async def test_resuming_after_a_line(self, client: Client) -> None:
        first = json.loads((await client.get("/v1/workflows/r1/logs?format=ndjson")).text.splitlines()[0])
        for given in ({"params": {"cursor": first["cursor"]}}, {"headers": {"last-event-id": first["cursor"]}}):
            assert (await client.get("/v1/workflows/r1/logs", **given)).text.split()[-1] == "err"

    @pytest.mark.parametrize(
        ("query", "texts"),
        [
            ("stream=stderr", ["err"]),
            ("search=OUT", ["out"]),
            ("tail=1", ["err"]),
            ("tail=0", []),
            ("job=deploy&step=steps[0]&host=web-01&attempt=1&stream=stdout", ["out"]),
            ("host=web-02", []),
            ("step=build", ["out", "err"]),
            ("step=s", ["out", "err"]),
            ("step=deploy/steps[0]", ["out", "err"]),
            ("step=deploy[web-01]/steps[0]", ["out", "err"]),
            ("step=report/steps[0]", []),
            ("step=nothing", []),
            ("since=2026-11-21T10:00:01Z", []),
            ("since=2026-11-21T10:00:00", ["out", "err"]),
        ],
    )
    async def test_filters(self, client: Client, query: str, texts: list[str]) -> None:
        answer = await client.get(f"/v1/workflows/r1/logs?{query}")
        assert [line.split()[-1] for line in answer.text.splitlines()] == texts

    async def test_a_wrong_cursor_is_said(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/r1/logs?cursor=7.1")
        assert (answer.status_code, answer.json()["code"]) == (400, "log-cursor")

    async def test_a_run_that_is_not_there(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/r2/logs")
        assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")

    async def test_a_run_that_has_written_nothing(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r3"] = run(State.RUNNING)
        answer = await client.get("/v1/workflows/r3/logs")
        assert (answer.status_code, answer.text) == (200, "")


def parsed(stream: bytes) -> list[tuple[str, str]]:
    """Type and text (or data) of the events."""
    found: list[tuple[str, str]] = []
    for block in stream.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            data = json.loads(fields["data"])
            found.append((fields["event"], data.get("text", json.dumps(data))))
    return found


class TestFollow:
    async def test_the_log_of_a_run_that_has_ended_ends(self, client: Client, runs: RunsInMemory) -> None:
        await send(client, record("one"))
        runs.states["r1"] = run(State.SUCCESS, LogRef(stream=STREAM, bytes=len(record("one"))))
        answer = await client.get("/v1/workflows/r1/logs?follow=true")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert parsed(answer.content) == [("log", "one"), ("end", '{"state": "success"}')]

    async def test_a_step_by_its_name_is_found_when_it_begins_and_others_of_that_path_are_left_out(
        self, client: Client, runs: RunsInMemory
    ) -> None:
        done = asyncio.create_task(client.get("/v1/workflows/r1/logs?follow=true&step=build"))
        runs.states["r1"] = RunState(id="r1", name="deploy", state=State.RUNNING)
        await send(client, record("other"), stream="r1/report/steps[0].1")
        runs.states["r1"] = run(State.RUNNING)
        await send(client, record("mine"))
        runs.states["r1"] = run(State.SUCCESS)
        answer = await asyncio.wait_for(done, 60)
        assert parsed(answer.content) == [("log", "mine"), ("end", '{"state": "success"}')]

    async def test_it_resumes_after_the_last_event(self, client: Client, runs: RunsInMemory) -> None:
        await send(client, record("one") + record("two"))
        runs.states["r1"] = run(State.SUCCESS)
        answer = await client.get("/v1/workflows/r1/logs?follow=true", headers={"last-event-id": "0.0"})
        assert parsed(answer.content)[0] == ("log", "two")

    @pytest.fixture
    async def follow(self, services: Services) -> AsyncIterator[Follow]:
        """Begins to follow ``r1`` from its beginning, as the route does."""
        tasks: list[asyncio.Task[bytes]] = []

        async def collect() -> bytes:
            reader = run_reader(services.runs, "r1")
            follower = Follower(services.logs, "r1", reader, LogQuery(), services.closing)
            log, start = RunLog(services.logs, "r1", {}), LogBatch(lines=[], cursor=None)
            return b"".join([part async for part in events(follower, log, start, LogQuery())])

        def begin() -> asyncio.Task[bytes]:
            tasks.append(asyncio.create_task(collect()))
            return tasks[-1]

        yield begin
        for task in tasks:
            task.cancel()

    async def test_it_goes_on_while_temporal_is_away(self, client: Client, runs: RunsInMemory, follow: Follow) -> None:
        runs.error = RPCError("no luck", RPCStatusCode.UNAVAILABLE, b"")
        followed = follow()
        await send(client, record("one"))
        runs.states["r1"] = run(State.SUCCESS)
        runs.error = None
        assert parsed(await followed) == [("log", "one"), ("end", '{"state": "success"}')]

    async def test_lines_that_come_later_and_the_last_ones_after_the_end(
        self, client: Client, runs: RunsInMemory, follow: Follow
    ) -> None:
        runs.states["r1"] = run(State.RUNNING)
        followed = follow()
        await send(client, record("one"))
        length = len(record("one"))
        runs.states["r1"] = run(State.FAILED, LogRef(stream=STREAM, bytes=2 * length))
        await send(client, record("two"), offset=length)
        assert parsed(await followed) == [("log", "one"), ("log", "two"), ("end", '{"state": "failed"}')]

    async def test_a_log_that_does_not_come_is_named(
        self, client: Client, runs: RunsInMemory, follow: Follow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("waterflow_server.logs._follow.LATE_LOGS", 0.3)
        runs.states["r1"] = run(State.FAILED, LogRef(stream=STREAM, bytes=1000))
        await send(client, record("one"))
        end = json.dumps({"state": "failed", "missing": [STREAM]})
        assert parsed(await follow()) == [("log", "one"), ("end", end)]

    async def test_a_server_that_ends_lets_go_without_an_end(
        self, services: Services, runs: RunsInMemory, follow: Follow
    ) -> None:
        runs.states["r1"] = run(State.RUNNING)
        followed = follow()
        services.closing.set()
        assert parsed(await followed) == []

    async def test_a_run_that_vanishes_is_said_in_a_comment(self, follow: Follow) -> None:
        assert (await follow()).decode() == "retry: 500\n\n: run-not-found: there is no run 'r1'\n\n"
