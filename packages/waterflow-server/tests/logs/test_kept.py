"""The log of a retry: first what it kept from former runs, then its own, with cursors through all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from waterflow_sdk.wire import AttemptState, JobState, LogRef, RunState, State, StepState, StreamName
from waterflow_server.logs import FileLogStore, LogQuery, RunLog, kept_streams

from .conftest import TIME, Records


def tree(*streams: str) -> RunState:
    """A run ``r3`` whose steps have these logs, ended one second after the other."""
    steps = [
        StepState(
            path=f"steps[{number}]",
            name="s",
            state=State.SUCCESS,
            attempts=[
                AttemptState(
                    number=1, state=State.SUCCESS, ended=TIME + timedelta(seconds=number), log=LogRef(stream=stream)
                )
            ],
        )
        for number, stream in enumerate(streams)
    ]
    return RunState(
        id="r3",
        name="n",
        state=State.SUCCESS,
        jobs=[JobState(id="a", instance="a", name="a", state=State.SUCCESS, steps=steps)],
    )


class TestKeptStreams:
    def test_by_run_in_the_order_of_time(self) -> None:
        run = tree("r9/a/steps[0].1", "r2/a/steps[1].1", "r9/a/steps[2].1", "r3/a/steps[3].1")
        assert list(kept_streams(run).items()) == [
            ("r2", frozenset({"r2/a/steps[1].1"})),
            ("r9", frozenset({"r9/a/steps[0].1", "r9/a/steps[2].1"})),
        ]


@pytest.fixture
async def log(store: FileLogStore, records: Records) -> RunLog:
    for stream, text in (
        ("r1/a/steps[0].1", "one"),
        ("r1/a/steps[1].1", "failed then"),
        ("r2/a/steps[1].1", "two"),
        ("r3/a/steps[2].1", "three"),
    ):
        await store.append(StreamName.parse(stream), 0, records.lines(f"{text} a", f"{text} b"), "web-01")
    kept = {"r1": frozenset({"r1/a/steps[0].1"}), "r2": frozenset({"r2/a/steps[1].1"})}
    return RunLog(store, "r3", kept)


class TestRead:
    async def lines(self, log: RunLog, after: str | None = None) -> list[tuple[str, str | None, str]]:
        return [
            (line.text, line.kept_from, line.cursor)
            async for batch in log.read(after, LogQuery())
            for line in batch.lines
        ]

    async def test_only_kept_streams_and_in_order(self, log: RunLog) -> None:
        assert [(text, kept) for text, kept, _ in await self.lines(log)] == [
            ("one a", "r1"),
            ("one b", "r1"),
            ("two a", "r2"),
            ("two b", "r2"),
            ("three a", None),
            ("three b", None),
        ]

    async def test_resuming_after_any_line_gives_exactly_the_rest(self, log: RunLog) -> None:
        everything = await self.lines(log)
        for number, (_, _, cursor) in enumerate(everything, start=1):
            assert await self.lines(log, cursor) == everything[number:]

    @pytest.mark.parametrize(
        ("count", "texts"), [(1, ["three b"]), (3, ["two b", "three a", "three b"]), (5, ["one b", "two a", "two b"])]
    )
    async def test_the_tail_reaches_back_into_former_runs(self, log: RunLog, count: int, texts: list[str]) -> None:
        batch = await log.tail(count, LogQuery())
        assert [line.text for line in batch.lines][:3] == texts
        assert len(batch.lines) == count
