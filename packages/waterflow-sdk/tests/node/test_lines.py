"""Cutting output into lines."""

from __future__ import annotations

from waterflow_sdk.node import Line
from waterflow_sdk.node._lines import LineSplitter


def split(*chunks: str, limit: int = 8) -> list[Line]:
    splitter = LineSplitter(limit)
    return [*(line for chunk in chunks for line in splitter.feed(chunk)), *splitter.flush()]


class TestLines:
    def test_lines_over_chunks(self) -> None:
        assert split("a", "b\nc\n", "d") == [Line("ab"), Line("c"), Line("d")]

    def test_no_line_after_the_last_break(self) -> None:
        assert split("a\n") == [Line("a")]

    def test_empty_lines_stay(self) -> None:
        assert split("\n\na\n") == [Line(""), Line(""), Line("a")]

    def test_crlf(self) -> None:
        assert split("a\r", "\nb\r\n") == [Line("a"), Line("b")]

    def test_a_long_line_in_one_chunk(self) -> None:
        assert split("0123456789abcdefgh\nx\n") == [
            Line("01234567", True),
            Line("89abcdef", True),
            Line("gh"),
            Line("x"),
        ]

    def test_a_long_line_in_many_chunks(self) -> None:
        assert split(*"0123456789\n") == [Line("01234567", True), Line("89")]

    def test_exactly_the_limit(self) -> None:
        assert split("01234567\n") == [Line("01234567")]
