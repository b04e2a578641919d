"""Reading: cursors, filters, the tail, and waiting for more."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from waterflow_sdk.wire import LogStreamKind, StreamName
from waterflow_server.logs import FileLogStore, InvalidCursor, LogQuery

from .conftest import TIME, Records


class TestCursor:
    async def test_resuming_after_any_line_gives_exactly_the_rest(self, store: FileLogStore, records: Records) -> None:
        length = await store.append(records.stream, 0, records.lines("a", "b", "c"), "web-01")
        await store.append(records.stream, length, records.lines("d", "e"), "web-01")
        lines = [line async for batch in store.read("r1") for line in batch.lines]
        assert [line.text for line in lines] == ["a", "b", "c", "d", "e"]
        for number, line in enumerate(lines, start=1):
            assert await records.texts(store, line.cursor) == ["a", "b", "c", "d", "e"][number:]

    async def test_the_cursor_of_a_batch_goes_past_lines_that_did_not_match(
        self, store: FileLogStore, records: Records
    ) -> None:
        await store.append(records.stream, 0, records.lines("a"), "web-01")
        batches = [batch async for batch in store.read("r1", query=LogQuery(job="other"))]
        assert [batch.lines for batch in batches] == [[]]
        assert await records.texts(store, batches[-1].cursor) == []

    async def test_another_store_on_the_same_directory_knows_it(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("a", "b"), "web-01")
        first = (await store.tail("r1", 2)).lines[0]
        other = FileLogStore(store._directory)  # pyright: ignore[reportPrivateUsage]
        assert await records.texts(other, first.cursor) == ["b"]
        other.close()

    @pytest.mark.parametrize("cursor", ["x", "", "-1.0", "1", "99999999999999999999.1", "٣.١"])
    async def test_what_is_no_cursor_is_refused(self, store: FileLogStore, records: Records, cursor: str) -> None:
        with pytest.raises(InvalidCursor, match="is not a cursor of a log; leave it out to start from the beginning"):
            await records.texts(store, cursor)

    async def test_a_cursor_of_another_run_is_refused(self, store: FileLogStore, records: Records) -> None:
        with pytest.raises(InvalidCursor) as caught:
            await records.texts(store, "17.0")
        assert caught.value.message == "cursor '17.0' was not given out for this run; leave it out to start again"

    async def test_a_run_without_a_log_is_empty(self, store: FileLogStore) -> None:
        assert [batch async for batch in store.read("none")] == []
        assert await store.stream_sizes("none") == {}


@pytest.fixture
async def two_hosts(store: FileLogStore, records: Records) -> FileLogStore:
    for job, step, agent in (
        ("deploy[web-01]", "steps[0]", "web-01"),
        ("deploy[web-02]", "steps[0].then[1]", "web-02"),
        ("report", "steps[1]", "web-01"),
    ):
        stream = StreamName(run="r1", job=job, step=step, attempt=1 if agent == "web-01" else 2)
        at = TIME + timedelta(minutes=1) if job == "report" else TIME
        chunk = records.lines(f"out {job}", time=at) + records.lines(f"err {job}", stream=LogStreamKind.STDERR, time=at)
        await store.append(stream, 0, chunk, agent)
    return store


class TestQuery:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (
                LogQuery(job="deploy"),
                ["out deploy[web-01]", "err deploy[web-01]", "out deploy[web-02]", "err deploy[web-02]"],
            ),
            (LogQuery(job="deploy[web-02]"), ["out deploy[web-02]", "err deploy[web-02]"]),
            (LogQuery(job="dep"), []),
            (LogQuery(steps=frozenset({("report", "steps[1]")})), ["out report", "err report"]),
            (LogQuery(steps=frozenset({("deploy", "steps[1]")})), []),
            (LogQuery(steps=frozenset({("", "steps[0]")}), attempt=2), ["out deploy[web-02]", "err deploy[web-02]"]),
            (LogQuery(host="web-02"), ["out deploy[web-02]", "err deploy[web-02]"]),
            (LogQuery(attempt=1, job="deploy"), ["out deploy[web-01]", "err deploy[web-01]"]),
            (LogQuery(streams=frozenset({LogStreamKind.STDERR}), job="report"), ["err report"]),
            (LogQuery(since=TIME + timedelta(seconds=1)), ["out report", "err report"]),
            (LogQuery(search="OUT REP"), ["out report"]),
        ],
        ids=[
            "job",
            "instance",
            "no-prefix",
            "step",
            "step of another job",
            "block",
            "host",
            "attempt",
            "stream",
            "since",
            "search",
        ],
    )
    async def test_only_what_matches_comes(
        self, two_hosts: FileLogStore, records: Records, query: LogQuery, expected: list[str]
    ) -> None:
        assert await records.texts(two_hosts, query=query) == expected


class TestTail:
    async def test_the_last_lines_over_chunks(self, two_hosts: FileLogStore) -> None:
        batch = await two_hosts.tail("r1", 3)
        assert [line.text for line in batch.lines] == ["err deploy[web-02]", "out report", "err report"]

    async def test_of_those_that_match(self, two_hosts: FileLogStore) -> None:
        batch = await two_hosts.tail("r1", 1, LogQuery(job="deploy[web-01]"))
        assert [line.text for line in batch.lines] == ["err deploy[web-01]"]

    async def test_its_cursor_goes_on_with_what_comes_later(self, two_hosts: FileLogStore, records: Records) -> None:
        batch = await two_hosts.tail("r1", 0)
        await two_hosts.append(StreamName.parse("r1/late/steps[0].1"), 0, records.lines("late"), "web-01")
        assert batch.lines == []
        assert await records.texts(two_hosts, batch.cursor) == ["late"]


class TestWait:
    async def test_it_returns_when_a_chunk_arrives(self, store: FileLogStore, records: Records) -> None:
        waiting = asyncio.create_task(store.wait("r1", None, 10))
        await store.append(records.stream, 0, records.lines("a"), "web-01")
        assert await waiting

    async def test_it_returns_at_once_when_there_is_more(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("a"), "web-01")
        assert await store.wait("r1", None, 10)

    async def test_it_gives_up(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("a"), "web-01")
        end = (await store.tail("r1", 0)).cursor
        assert not await store.wait("r1", end, 0.05)

    async def test_it_sees_what_another_server_wrote(self, store: FileLogStore, records: Records) -> None:
        other = FileLogStore(store._directory)  # pyright: ignore[reportPrivateUsage]
        waiting = asyncio.create_task(store.wait("r1", None, 10))
        await other.append(records.stream, 0, records.lines("a"), "web-01")
        assert await waiting
        other.close()
