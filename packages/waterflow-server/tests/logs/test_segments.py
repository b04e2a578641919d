"""Which objects of a bucket make up a journal, whatever was merged, left over or removed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waterflow_server.logs._bucket import Object
from waterflow_server.logs._segments import FEWEST, MERGED, Segment, mergeable, merged_name, path, segments, windows

AT = datetime(2026, 11, 21, tzinfo=UTC)


def chunk(start: int, end: int) -> Object:
    return Object(key=f"r1/{start:015d}", size=end - start, modified=AT)


def merged(start: int, end: int) -> Object:
    return Object(key=merged_name("r1", start, end), size=end - start, modified=AT)


def spans(found: list[Segment]) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in found]


class TestSegments:
    def test_in_the_order_of_the_journal(self) -> None:
        found = segments([merged(0, 20), chunk(20, 30), chunk(0, 10)])
        assert spans(found) == [(0, 10), (0, 20), (20, 30)]
        assert [each.merged for each in found] == [False, True, False]

    @pytest.mark.parametrize("name", ["r1/1", "r1/x", "r1/000000000000000-1", ".check/abc"])
    def test_other_objects_are_left_out(self, name: str) -> None:
        assert segments([Object(key=name, size=1, modified=AT)]) == []

    def test_a_merged_one_of_a_wrong_length_is_left_out(self) -> None:
        assert segments([Object(key=merged_name("r1", 0, 20), size=19, modified=AT)]) == []


class TestPath:
    @pytest.mark.parametrize(
        ("objects", "position", "taken"),
        [
            ([chunk(0, 10), chunk(10, 20)], 0, [(0, 10), (10, 20)]),
            ([chunk(0, 10), chunk(10, 20)], 10, [(10, 20)]),
            ([chunk(0, 10), chunk(10, 20), merged(0, 20), chunk(20, 25)], 0, [(0, 20), (20, 25)]),
            ([merged(0, 20), chunk(20, 25)], 10, [(0, 20), (20, 25)]),
            ([merged(0, 20), merged(10, 40)], 0, [(0, 20), (10, 40)]),
            ([chunk(0, 10), chunk(20, 30)], 0, [(0, 10)]),
            ([chunk(10, 20)], 0, []),
            ([chunk(0, 10)], 10, []),
            ([], 0, []),
        ],
        ids=["chunks", "the rest", "merged", "within", "overlapping", "a gap", "no beginning", "the end", "none"],
    )
    def test_named(self, objects: list[Object], position: int, taken: list[tuple[int, int]]) -> None:
        assert spans(path(segments(objects), position)) == taken

    @given(
        lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
        gone=st.sets(st.integers(0, 11)),
        ranges=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)), max_size=4),
        begin=st.integers(0, 12),
    )
    def test_gives_everything_up_to_the_first_gap(
        self, lengths: list[int], gone: set[int], ranges: list[tuple[int, int]], begin: int
    ) -> None:
        borders = [sum(lengths[:count]) for count in range(len(lengths) + 1)]
        objects = [chunk(borders[at], borders[at + 1]) for at in range(len(lengths)) if at not in gone]
        objects += [merged(borders[a], borders[b]) for a, b in ranges if a < b < len(borders)]
        position = borders[min(begin, len(lengths))]
        held = {byte for each in segments(objects) for byte in range(each.start, each.end)}
        end = position
        for each in path(segments(objects), position):
            assert each.start <= end < each.end
            end = each.end
        assert end not in held
        assert set(range(position, end)) <= held


class TestMergeable:
    def test_few_are_left_alone(self) -> None:
        chunks = segments([chunk(10 * at, 10 * at + 10) for at in range(FEWEST - 1)])
        assert mergeable(chunks) == []

    def test_a_gap_parts_them(self) -> None:
        chunks = segments([chunk(10 * at, 10 * at + 10) for at in range(2 * FEWEST + 1) if at != FEWEST])
        assert [len(group) for group in mergeable(chunks)] == [FEWEST, FEWEST]

    def test_none_is_larger_than_the_limit(self) -> None:
        size = MERGED // (2 * FEWEST)
        chunks = segments([chunk(size * at, size * at + size) for at in range(4 * FEWEST)])
        assert [sum(each.end - each.start for each in group) for group in mergeable(chunks)] == [MERGED, MERGED]


class TestWindows:
    def test_hold_what_the_memory_of_a_server_can_take(self) -> None:
        found = segments([merged(MERGED * at, MERGED * at + MERGED) for at in range(5)])
        assert [len(window) for window in windows(found)] == [2, 2, 1]
        assert [segment for window in windows(found) for segment in window] == found
