"""Reading and following logs: every line exactly once, whatever the connection does."""

from __future__ import annotations

import asyncio
import random
import socket
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from waterflow_sdk.client import AsyncClient, Client, LogFilter, NotWaterflow, RunNotFound, ServerUnavailable
from waterflow_sdk.wire import LogEnd, LogLine, LogStreamKind, State

LOGS = "GET /v1/workflows/r1/logs"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def line(number: int) -> LogLine:
    text = f"line {number} " + "é" * (number % 50)
    return LogLine(
        cursor=str(number),
        job="web",
        step="s1",
        attempt=1,
        agent="a1",
        time=NOW,
        stream=LogStreamKind.STDOUT,
        text=text,
    )


def event(line: LogLine) -> bytes:
    return b"event: log\nid: " + line.cursor.encode() + b"\ndata: " + msgspec.json.encode(line) + b"\n\n"


END = b'event: end\ndata: {"state":"success","missing":["r1/web/s1.1"]}\n\n'


class Script:
    """A log of ``count`` lines, served as the API says; each connection sends what ``cut`` leaves of it."""

    def __init__(self, count: int, cut: Any) -> None:
        self.lines = [line(number) for number in range(1, count + 1)]
        self.cut = cut
        self.connections: list[tuple[str, dict[str, str]]] = []

    async def follow(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", "0")
        self.connections.append((after, dict(request.query)))
        body = b": hello\n\n" + b"".join(event(line) for line in self.lines[int(after) :]) + END
        sent, whole = self.cut(body)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(sent)
        if not whole:
            abort(request)
        return response


def abort(request: web.Request) -> None:
    """Break the connection, as a server does that is killed."""
    assert request.transport is not None
    request.transport.abort()


class TestFollow:
    @pytest.mark.parametrize("seed", range(5))
    async def test_connections_cut_at_random_places_lose_and_repeat_nothing(self, server: Any, seed: int) -> None:
        dice = random.Random(seed)

        def cut(body: bytes) -> tuple[bytes, bool]:
            place = dice.randrange(0, min(len(body), 20_000))
            return (body, True) if len(body) < 2_000 else (body[:place], False)

        script = Script(400, cut)
        server.on(LOGS, script.follow)
        async with AsyncClient(server.url) as client:
            log = client.run("r1").logs(follow=True)
            got = [line async for line in log]
        assert got == script.lines
        assert log.end == LogEnd(state=State.SUCCESS, missing=["r1/web/s1.1"])
        assert len(script.connections) > 3

    async def test_a_restarted_server_is_asked_from_the_last_line_on_and_no_longer_for_the_tail(
        self, server: Any
    ) -> None:
        bodies = iter([(event(line(1)) + event(line(2))[:30], False), (event(line(2)) + END, True)])
        script = Script(2, lambda _: next(bodies))
        server.on(LOGS, script.follow)
        async with AsyncClient(server.url) as client:
            log = client.run("r1").logs(follow=True, tail=5, job="web")
            assert [line.cursor async for line in log] == ["1", "2"]
        assert script.connections == [
            ("0", {"tail": "5", "job": "web", "follow": "true"}),
            ("1", {"job": "web", "follow": "true"}),
        ]

    async def test_a_server_that_is_away_for_a_while_is_waited_for(self, server: Any, problem: Any) -> None:
        answers = iter([problem(503, "unavailable", "starting"), problem(503, "unavailable", "starting")])
        script = Script(1, lambda body: (body, True))

        async def handler(request: web.Request) -> web.StreamResponse:
            early = next(answers, None)
            return early() if early else await script.follow(request)

        server.on(LOGS, handler)
        async with AsyncClient(server.url) as client:
            assert [line.cursor async for line in client.run("r1").logs(follow=True)] == ["1"]

    async def test_a_clean_end_of_the_connection_is_not_the_end_of_the_log(self, server: Any) -> None:
        bodies = iter([(event(line(1)), True), (END, True)])
        server.on(LOGS, Script(1, lambda _: next(bodies)).follow)
        async with AsyncClient(server.url) as client:
            assert [line.cursor async for line in client.run("r1").logs(follow=True)] == ["1"]

    async def test_give_up_after_ends_the_waiting(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            async with AsyncClient(address) as client:
                with pytest.raises(ServerUnavailable) as caught:
                    await anext(client.run("r1").logs(follow=True, give_up_after=0.3))
        assert str(caught.value) == f"no answer from the server at {address}: the connection was refused"

    async def test_an_unknown_run_is_an_error_at_once(self, server: Any, problem: Any) -> None:
        server.on(LOGS, problem(404, "run-not-found", "there is no run r1"))
        async with AsyncClient(server.url) as client:
            with pytest.raises(RunNotFound, match=r"^there is no run r1$"):
                await anext(client.run("r1").logs(follow=True))
        assert len(server.requests) == 1

    async def test_another_kind_of_answer_is_no_log(self, server: Any) -> None:
        server.on(LOGS, {"a": 1})
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotWaterflow) as caught:
                await anext(client.run("r1").logs(follow=True))
        assert str(caught.value) == (
            "this is not a Waterflow server: it answers /v1/workflows/r1/logs with application/json "
            "instead of text/event-stream"
        )

    async def test_a_line_that_cannot_be_read_is_an_error(self, server: Any) -> None:
        server.on(LOGS, Script(1, lambda _: (b"event: log\nid: 1\ndata: {}\n\n", True)).follow)
        async with AsyncClient(server.url) as client:
            with pytest.raises(NotWaterflow, match="sends a log line that cannot be read"):
                await anext(client.run("r1").logs(follow=True))

    async def test_many_lines_come_in_few_batches(self, server: Any) -> None:
        script = Script(20_000, lambda body: (body, True))
        server.on(LOGS, script.follow)
        got: list[LogLine] = []
        batches = 0
        async with AsyncClient(server.url) as client:
            log = client.run("r1").logs(follow=True)
            while batch := await log.next_batch():
                got += batch
                batches += 1
        assert got == script.lines
        assert batches < 1_000

    async def test_leaving_early_closes_the_connection(self, server: Any) -> None:
        gone = asyncio.Event()

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await response.write(event(line(1)))
            try:
                while True:
                    await response.write(b": still here\n\n")
                    await asyncio.sleep(0.01)
            except ConnectionError:
                gone.set()
            return response

        server.on(LOGS, handler)
        async with AsyncClient(server.url) as client, client.run("r1").logs(follow=True) as log:
            assert (await anext(log)).cursor == "1"
        await asyncio.wait_for(gone.wait(), 60)


class TestRead:
    async def test_lines_come_as_ndjson(self, server: Any) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            assert request.headers["Accept"] == "application/x-ndjson"
            body = b"".join(msgspec.json.encode(line(number)) + b"\n" for number in range(1, 4))
            return web.Response(body=body, content_type="application/x-ndjson")

        server.on(LOGS, handler)
        async with AsyncClient(server.url) as client:
            log = client.run("r1").logs()
            assert [line async for line in log] == [line(1), line(2), line(3)]
        assert log.cursor == "3"
        assert log.end is None

    async def test_a_cut_answer_goes_on_after_the_last_line(self, server: Any) -> None:
        asked: list[str | None] = []

        async def handler(request: web.Request) -> web.StreamResponse:
            asked.append(request.headers.get("Last-Event-ID"))
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            if len(asked) == 1:
                await response.write(msgspec.json.encode(line(1)) + b'\n{"cursor"')
                await asyncio.sleep(0.05)  # both halves of the answer go out before the connection breaks
                abort(request)
            else:
                await response.write(msgspec.json.encode(line(2)) + b"\n")
            return response

        server.on(LOGS, handler)
        async with AsyncClient(server.url) as client:
            assert [line.cursor async for line in client.run("r1").logs()] == ["1", "2"]
        assert asked == [None, "1"]

    async def test_every_filter_is_sent(self, server: Any) -> None:
        async def handler(_: web.Request) -> web.StreamResponse:
            return web.Response(body=b"", content_type="application/x-ndjson")

        server.on(LOGS, handler)
        filters: dict[str, Any] = {
            "job": "web",
            "step": "s1",
            "host": "h1",
            "attempt": 2,
            "stream": LogStreamKind.STDERR,
            "tail": 9,
            "since": NOW,
            "search": "a b&c",
        }
        assert set(filters) == set(LogFilter.__struct_fields__)
        async with AsyncClient(server.url) as client:
            assert [line async for line in client.run("r1").logs(**filters)] == []
        assert dict(server.requests[0][2].query) == {
            **filters,
            "attempt": "2",
            "tail": "9",
            "since": "2026-11-21T10:00:00+00:00",
        }


class TestSynchronous:
    async def test_the_same_lines_and_the_same_end(self, server: Any) -> None:
        script = Script(300, lambda body: (body, True) if len(body) < 9_000 else (body[:8_000], False))
        server.on(LOGS, script.follow)

        def read() -> tuple[list[LogLine], LogEnd | None]:
            with Client(server.url) as client, client.run("r1").logs(follow=True) as log:
                return list(log), log.end

        lines, end = await asyncio.to_thread(read)
        assert lines == script.lines
        assert end == LogEnd(state=State.SUCCESS, missing=["r1/web/s1.1"])
