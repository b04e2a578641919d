"""``GET /v1/workflows/{id}/events``: everything so far, then what comes, resumed anywhere."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from waterflow_sdk.wire import JobState, LogEventKind, LogRecord, LogStreamKind, RunState, State, StepState
from waterflow_server import Services
from waterflow_server.runs import EventFollower

from .conftest import TIME, Client, RunsInMemory

PROGRESS = LogRecord(
    time=TIME,
    stream=LogStreamKind.EVENT,
    event=LogEventKind.PROGRESS,
    text="half",
    data={"percent": 50.0},
)


def run(state: State, *, minutes: int = 5) -> RunState:
    """One job with one step; it ends after so many minutes."""
    ended = TIME + timedelta(minutes=minutes) if state.ended else None
    step = StepState(path="steps[0]", name="build", state=state, started=TIME, ended=ended)
    job = JobState(id="a", instance="a", name="a", state=state, queued=TIME, started=TIME, ended=ended, steps=[step])
    return RunState(id="r1", name="n", state=state, submitted=TIME, started=TIME, ended=ended, jobs=[job])


def parsed(stream: str) -> list[tuple[str, Any]]:
    """Type and data of the events."""
    found: list[tuple[str, Any]] = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def told(stream: str) -> list[str]:
    """Each event in three words."""
    return [f"{kind} {data.get('path', '')} {data['state']}" for kind, data in parsed(stream)]


class TestEnded:
    async def test_the_whole_list_at_once_and_the_end(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.SUCCESS)
        answer = await client.get("/v1/workflows/r1/events")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert told(answer.text) == [
            "run  running",
            "job a running",
            "step a/steps[0] running",
            "run  success",
            "job a success",
            "step a/steps[0] success",
            "end  success",
        ]

    async def test_progress_comes_from_the_log(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.SUCCESS)
        lines = msgspec.json.encode(PROGRESS) + b"\n"
        await client.put("/v1/logs/r1/a/steps[0].1?offset=0&agent=web-01", content=lines)
        answer = await client.get("/v1/workflows/r1/events")
        (data,) = [data for kind, data in parsed(answer.text) if kind == "progress"]
        assert (data["path"], data["attempt"], data["reason"], data["data"]) == (
            "a/steps[0]",
            1,
            "half",
            {"percent": 50.0},
        )

    async def test_a_reader_that_has_the_beginning_gets_the_rest(self, client: Client, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.SUCCESS)
        cursor = f"{int((TIME + timedelta(minutes=4)).timestamp()) * 1_000_000}_"
        answer = await client.get("/v1/workflows/r1/events", headers={"last-event-id": cursor})
        assert told(answer.text) == ["run  success", "job a success", "step a/steps[0] success", "end  success"]


class TestRefused:
    async def test_an_unknown_run(self, client: Client) -> None:
        answer = await client.get("/v1/workflows/nope/events")
        assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")

    @pytest.mark.parametrize("cursor", ["x", "-1_", "5", "5_nonsense"])
    async def test_what_is_no_cursor(self, client: Client, runs: RunsInMemory, cursor: str) -> None:
        runs.states["r1"] = run(State.RUNNING)
        answer = await client.get("/v1/workflows/r1/events", params={"cursor": cursor})
        assert answer.status_code == 400


class TestLiving:
    async def follow(self, services: Services, after: str | None = None, batches: int = 1) -> tuple[list[str], str]:
        """What one connection tells in so many batches, and where it came to."""
        follower = EventFollower(services.runs.watch("r1"), services.logs, "r1", services.closing)
        found: list[str] = []
        cursor = after or ""
        async for batch in follower.batches(after):
            found += [event.id for event in batch.events]
            cursor = batch.cursor
            batches -= 1
            if not batches:
                break
        return found, cursor

    async def test_only_what_is_new_comes_on_a_connection(self, services: Services, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.RUNNING)
        following = asyncio.create_task(self.follow(services, batches=3))
        await asyncio.sleep(0)
        runs.states["r1"] = run(State.SUCCESS)
        ids, _ = await following
        assert len(ids) == len(set(ids)) == 6

    @pytest.mark.parametrize("minutes", [0, 1, 5])
    async def test_nothing_is_lost_between_two_connections(
        self, services: Services, runs: RunsInMemory, minutes: int
    ) -> None:
        runs.states["r1"] = run(State.RUNNING)
        before, cursor = await self.follow(services)
        runs.states["r1"] = run(State.SUCCESS, minutes=minutes)
        after, _ = await self.follow(services, cursor)
        runs.states["r1"] = run(State.SUCCESS, minutes=minutes)
        everything, _ = await self.follow(services)
        assert set(before) | set(after) == set(everything)

    async def test_a_server_that_ends_lets_go_without_an_end(self, services: Services, runs: RunsInMemory) -> None:
        runs.states["r1"] = run(State.RUNNING)
        services.closing.set()
        assert await self.follow(services) == ([], "")
