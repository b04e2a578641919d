"""Events of a run: each once, in order, whatever the connection does; and what else is asked of a run."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_sdk.client import AsyncClient, Client, NotWaterflow, RunNotEnded, RunNotFound
from waterflow_sdk.wire import EventKind, RunEnd, RunEvent, RunOutputs, RunState, State

EVENTS = "GET /v1/workflows/r1/events"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
END = b'event: end\ndata: {"state":"failed"}\n\n'


def event(number: int) -> RunEvent:
    return RunEvent(id=f"e{number}", time=NOW, kind=EventKind.STEP, state=State.RUNNING, path=f"a/steps[{number}]")


def told(number: int) -> bytes:
    return b"event: step\ndata: " + msgspec.json.encode(event(number)) + b"\n\n"


def place(number: int) -> bytes:
    return b"id: %d\n\n" % number


class Script:
    """Tells ``count`` events in batches of ten; after a reconnect some of them again, as the server does."""

    def __init__(self, count: int, cut: Any) -> None:
        self.count = count
        self.cut = cut
        self.asked: list[str] = []

    async def follow(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", "0")
        self.asked.append(after)
        parts = [
            told(number) + (place(number - 5) if number % 10 == 0 and number > 5 else b"")
            for number in range(int(after), self.count)
        ]
        sent, whole = self.cut(b": hello\n\n" + b"".join(parts) + END)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(sent)
        if not whole:
            assert request.transport is not None
            request.transport.abort()
        return response


class TestEvents:
    @pytest.mark.parametrize("seed", range(5))
    async def test_connections_cut_at_random_places_lose_and_repeat_nothing(self, server: Any, seed: int) -> None:
        dice = random.Random(seed)

        def cut(body: bytes) -> tuple[bytes, bool]:
            return (body, True) if len(body) < 3_000 else (body[: dice.randrange(0, min(len(body), 9_000))], False)

        script = Script(200, cut)
        server.on(EVENTS, script.follow)
        async with AsyncClient(server.url) as client:
            stream = client.run("r1").events()
            got = [each async for each in stream]
        assert got == [event(number) for number in range(200)]
        assert stream.end == RunEnd(state=State.FAILED)
        assert len(script.asked) > 3

    async def test_kinds_of_a_later_version_are_passed_over(self, server: Any) -> None:
        body = b'event: weather\ndata: {"sun": true}\n\n' + told(1)
        server.on(EVENTS, Script(0, lambda end: (body + end, True)).follow)
        async with AsyncClient(server.url) as client:
            assert [each async for each in client.run("r1").events()] == [event(1)]

    async def test_an_event_that_cannot_be_read(self, server: Any) -> None:
        server.on(EVENTS, Script(0, lambda _: (b'event: step\ndata: {"id": 1}\n\n', True)).follow)
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotWaterflow, match="sends an event that cannot be read"):
                await anext(client.run("r1").events())

    async def test_an_unknown_run_is_an_error_at_once(self, server: Any, problem: Any) -> None:
        server.on(EVENTS, problem(404, "run-not-found", "there is no run r1"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(RunNotFound, match="there is no run r1"):
                await anext(client.run("r1").events())

    async def test_without_asyncio(self, server: Any) -> None:
        import asyncio

        server.on(EVENTS, Script(3, lambda body: (body, True)).follow)

        def read() -> tuple[list[str], RunEnd | None]:
            with Client(server.url) as client, client.run("r1").events() as events:
                return [each.id for each in events], events.end

        assert await asyncio.to_thread(read) == (["e0", "e1", "e2"], RunEnd(state=State.FAILED))


class TestRest:
    async def test_status_at_a_moment(self, server: Any) -> None:
        server.on("GET /v1/workflows/r1", RunState(id="r1", name="n", state=State.RUNNING))
        async with AsyncClient(server.url) as client:
            assert (await client.run("r1").status("summary", NOW)).state is State.RUNNING
        query = dict(server.requests[-1][2].query)
        assert (query["view"], datetime.fromisoformat(query["at"])) == ("summary", NOW)

    async def test_definition(self, server: Any) -> None:
        server.on("GET /v1/workflows/r1/definition", lambda: web.Response(text="jobs: {}\n"))
        async with AsyncClient(server.url) as client:
            assert await client.run("r1").definition() == "jobs: {}\n"

    async def test_outputs(self, server: Any) -> None:
        outputs = RunOutputs(outputs={"url": "u"}, jobs={"a": {"n": 1}})
        server.on("GET /v1/workflows/r1/outputs", outputs)
        async with AsyncClient(server.url) as client:
            assert await client.run("r1").outputs() == outputs

    async def test_delete(self, server: Any, problem: Any) -> None:
        ended = problem(409, "run-not-ended", "run r1 has not ended; cancel it first, or wait")
        server.on("DELETE /v1/workflows/r1", ended, lambda: web.Response(status=204))
        async with AsyncClient(server.url) as client:
            with pytest.raises(RunNotEnded, match="run r1 has not ended; cancel it first, or wait"):
                await client.run("r1").delete()
            await client.run("r1").delete()
