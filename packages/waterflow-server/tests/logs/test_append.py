"""What append keeps, refuses, and answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waterflow_sdk.wire import StreamName
from waterflow_server.logs import FileLogStore, InvalidChunk, InvalidRunId, OffsetMismatch

from .conftest import Records


class TestOffset:
    async def test_the_first_chunk_begins_at_zero(self, store: FileLogStore, records: Records) -> None:
        chunk = records.lines("one", "two")
        assert await store.append(records.stream, 0, chunk, "web-01") == len(chunk)
        assert await records.texts(store) == ["one", "two"]

    async def test_the_next_chunk_begins_where_the_last_ended(self, store: FileLogStore, records: Records) -> None:
        length = await store.append(records.stream, 0, records.lines("one"), "web-01")
        await store.append(records.stream, length, records.lines("two"), "web-01")
        assert await records.texts(store) == ["one", "two"]

    async def test_a_gap_is_refused_with_the_offset_to_go_on_from(self, store: FileLogStore, records: Records) -> None:
        length = await store.append(records.stream, 0, records.lines("one"), "web-01")
        with pytest.raises(OffsetMismatch) as caught:
            await store.append(records.stream, length + 1, records.lines("two"), "web-01")
        assert caught.value.expected == length
        assert caught.value.message == (
            f"log stream 'r1/deploy[web-01]/steps[0].1' holds {length} bytes, so a chunk at offset {length + 1} "
            f"would leave a gap; send again from offset {length}"
        )

    async def test_a_repeated_chunk_is_kept_once(self, store: FileLogStore, records: Records) -> None:
        chunk = records.lines("one", "two")
        for _ in range(3):
            assert await store.append(records.stream, 0, chunk, "web-01") == len(chunk)
        assert await records.texts(store) == ["one", "two"]

    async def test_of_an_overlapping_chunk_only_the_new_lines_are_kept(
        self, store: FileLogStore, records: Records
    ) -> None:
        await store.append(records.stream, 0, records.lines("one"), "web-01")
        await store.append(records.stream, 0, records.lines("one", "two"), "web-01")
        assert await records.texts(store) == ["one", "two"]

    async def test_a_negative_offset_is_refused(self, store: FileLogStore, records: Records) -> None:
        with pytest.raises(InvalidChunk, match="offset -1 is negative"):
            await store.append(records.stream, -1, records.lines("one"), "web-01")

    async def test_streams_do_not_share_offsets(self, store: FileLogStore, records: Records) -> None:
        other = StreamName.parse("r1/deploy[web-01]/steps[1].1")
        await store.append(records.stream, 0, records.lines("one"), "web-01")
        await store.append(other, 0, records.lines("other"), "web-01")
        assert await store.stream_sizes("r1") == {
            str(records.stream): len(records.lines("one")),
            str(other): len(records.lines("other")),
        }


class TestLines:
    async def test_an_unfinished_last_line_waits_for_the_next_chunk(
        self, store: FileLogStore, records: Records
    ) -> None:
        first, second = records.lines("one"), records.lines("two")
        length = await store.append(records.stream, 0, first + second[:7], "web-01")
        assert length == len(first)
        await store.append(records.stream, length, second, "web-01")
        assert await records.texts(store) == ["one", "two"]

    async def test_a_chunk_without_any_whole_line_is_refused(self, store: FileLogStore, records: Records) -> None:
        with pytest.raises(InvalidChunk, match="the chunk holds no whole line; each line ends with a line feed"):
            await store.append(records.stream, 0, b'{"time":', "web-01")

    async def test_an_empty_chunk_asks_how_long_the_stream_is(self, store: FileLogStore, records: Records) -> None:
        length = await store.append(records.stream, 0, records.lines("one"), "web-01")
        assert await store.append(records.stream, 0, b"", "web-01") == length

    async def test_what_is_no_record_is_refused_and_nothing_is_kept(
        self, store: FileLogStore, records: Records
    ) -> None:
        with pytest.raises(InvalidChunk) as caught:
            await store.append(records.stream, 0, records.lines("one") + b"{}\n", "web-01")
        assert caught.value.message == ("line 2 of the chunk is not a log record: Object missing required field `time`")
        assert await store.stream_sizes("r1") == {}

    async def test_a_carriage_return_does_not_end_a_line(self, store: FileLogStore, records: Records) -> None:
        await store.append(records.stream, 0, records.lines("one").replace(b"\n", b"\r\n"), "web-01")
        assert await records.texts(store) == ["one"]

    async def test_names_that_do_not_fit_into_a_header_are_refused(self, store: FileLogStore, records: Records) -> None:
        with pytest.raises(InvalidChunk, match="the names of stream and agent are too long together"):
            await store.append(records.stream, 0, records.lines("one"), "w" * 5000)


class TestRunId:
    @pytest.mark.parametrize("run", ["..", ".hidden", "a/b", "", "a" * 129, "a\0", "ä", "a\n"])
    async def test_what_cannot_be_a_run_never_becomes_a_path(
        self, store: FileLogStore, records: Records, run: str, tmp_path: Path
    ) -> None:
        stream = StreamName(run=run, job="j", step="s", attempt=1)
        with pytest.raises(InvalidRunId):
            await store.append(stream, 0, records.lines("one"), "web-01")
        assert os.listdir(tmp_path) == []


class TestIdempotence:
    @given(
        texts=st.lists(st.text(max_size=5), min_size=1, max_size=12),
        cuts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20),
    )
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_any_sequence_of_sends_gives_a_prefix_of_the_spool(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[str], cuts: list[tuple[int, int]]
    ) -> None:
        records = Records()
        lines = [records.lines(text) for text in texts]
        starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
        spool = b"".join(lines)
        store = FileLogStore(tmp_path_factory.mktemp("logs"))
        held = 0
        for first, count in cuts:
            begin = min(first, len(lines))
            data = spool[starts[begin] : starts[min(begin + count, len(lines))]]
            if starts[begin] > held:
                with pytest.raises(OffsetMismatch):
                    await store.append(records.stream, starts[begin], data, "web-01")
            else:
                held = max(held, starts[begin] + len(data))
                assert await store.append(records.stream, starts[begin], data, "web-01") == held
        assert await records.texts(store) == texts[: starts.index(held)]
        store.close()
