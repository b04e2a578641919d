"""The proof's own eyes: what it must not overlook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from logs._tally import Tally, tally_of_spool
from waterflow_sdk.wire import LogRecord, LogStreamKind

NAME = "r1/count[a1]/steps[0].1"


def records(*texts: str) -> list[LogRecord]:
    return [LogRecord(time=datetime.now(UTC), stream=LogStreamKind.STDOUT, text=text) for text in texts]


def tally(*texts: str, name: str = NAME) -> Tally:
    made = Tally()
    for record in records(*texts):
        made.take(name, record)
    return made


class TestNumbers:
    def test_all_in_order(self):
        assert (tally("1", "2", "3").problems, tally("1", "2", "3").lines) == ([], 3)

    @pytest.mark.parametrize(
        ("texts", "problem"),
        [
            (("1", "3"), "line '3' where '2' comes next"),
            (("1", "2", "2"), "line '2' where '3' comes next"),
            (("2",), "line '2' where '1' comes next"),
            (("1", "x"), "line 'x' where '2' comes next"),
        ],
        ids=["a gap", "a double", "the first is missing", "another line"],
    )
    def test_a_wrong_one(self, texts: Sequence[str], problem: str):
        assert tally(*texts).problems == [f"{NAME}: {problem}"]


class TestDifference:
    def test_none(self):
        assert tally("1", "2").difference(tally("1", "2")) == []

    def test_a_last_line_that_is_missing(self):
        assert tally("1", "2").difference(tally("1")) == [f"{NAME}: 2 records here, 1 there, or in another order"]

    def test_a_stream_that_is_missing(self):
        assert Tally().difference(tally("1")) == [f"{NAME} is only on one side"]


class TestSpool:
    @pytest.mark.parametrize("folder", ["open", "shipped"])
    def test_is_read_as_the_store_is(self, tmp_path: Path, folder: str):
        path = tmp_path / folder / f"{NAME}.log"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records("1", "2")))
        assert tally_of_spool(tmp_path, "r1").difference(tally("1", "2")) == []
