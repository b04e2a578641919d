"""The event stream format, held to the text of the WHATWG HTML standard, section 9.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waterflow_sdk.client import _sse
from waterflow_sdk.client._sse import Event, EventParser, EventSizeError

CASES = {
    "one event": (b"data: a\n\n", [Event("message", "a", "")]),
    "several data lines are joined": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event("message", "YHOO\n+2\n10", "")]),
    "only one space is taken away": (b"data:  a\ndata:b\n\n", [Event("message", " a\nb", "")]),
    "a field without a colon is empty": (
        b"data\n\ndata\ndata\n\n",
        [Event("message", "", ""), Event("message", "\n", "")],
    ),
    "comments are ignored": (b": keep-alive\n\ndata: a\n: x\ndata: b\n\n", [Event("message", "a\nb", "")]),
    "no data, no event": (b"event: log\n\ndata: a\n\n", [Event("message", "a", "")]),
    "the type lasts for one event": (
        b"event: log\ndata: a\n\ndata: b\n\n",
        [Event("log", "a", ""), Event("message", "b", "")],
    ),
    "the id stays": (b"id: 7\ndata: a\n\ndata: b\n\n", [Event("message", "a", "7"), Event("message", "b", "7")]),
    "an empty id resets it": (
        b"id: 7\ndata: a\n\nid\ndata: b\n\n",
        [Event("message", "a", "7"), Event("message", "b", "")],
    ),
    "an id with NULL is ignored": (b"id: 7\nid: 8\x009\ndata: a\n\n", [Event("message", "a", "7")]),
    "an id counts without data too": (b"id: 7\n\ndata: a\n\n", [Event("message", "a", "7")]),
    "unknown fields are ignored": (b"colour: red\ndata: a\n\n", [Event("message", "a", "")]),
    "names are case-sensitive": (b"Data: a\ndata: b\n\n", [Event("message", "b", "")]),
    "a colon in the value stays": (b"data: a: b\n\n", [Event("message", "a: b", "")]),
    "what is not ended is dropped": (b"data: a\n\ndata: b\n", [Event("message", "a", "")]),
    "line ends are LF, CR or CRLF": (
        b"data: a\r\n\r\ndata: b\r\rdata: c\n\n",
        [Event("message", t, "") for t in "abc"],
    ),
    "a byte order mark is taken away": (b"\xef\xbb\xbfdata: a\n\n", [Event("message", "a", "")]),
    "bytes that are not UTF-8 are replaced": (b"data: \xff\n\n", [Event("message", "\ufffd", "")]),
}


class TestFormat:
    @pytest.mark.parametrize(("stream", "events"), CASES.values(), ids=list(CASES))
    def test_case(self, stream: bytes, events: list[Event]) -> None:
        assert EventParser().feed(stream) == events

    @pytest.mark.parametrize(("stream", "events"), CASES.values(), ids=list(CASES))
    def test_case_byte_by_byte(self, stream: bytes, events: list[Event]) -> None:
        parser = EventParser()
        assert [event for byte in stream for event in parser.feed(bytes([byte]))] == events

    @given(
        st.lists(st.sampled_from([b"data", b"id", b"event", b":", b" ", b"\r", b"\n", "é".encode(), b"x"])), st.data()
    )
    def test_the_cuts_do_not_matter(self, pieces: list[bytes], data: st.DataObject) -> None:
        stream = b"".join(pieces)
        cut = data.draw(st.integers(0, len(stream)))
        parser = EventParser()
        assert parser.feed(stream[:cut]) + parser.feed(stream[cut:]) == EventParser().feed(stream)


class TestRetry:
    def test_milliseconds_become_seconds(self) -> None:
        parser = EventParser()
        parser.feed(b"retry: 1500\n")
        assert parser.retry == 1.5

    @pytest.mark.parametrize("value", [b"soon", b"-1", b"1.5", "٣".encode(), b""])
    def test_what_is_no_number_is_ignored(self, value: bytes) -> None:
        parser = EventParser()
        parser.feed(b"retry: " + value + b"\n")
        assert parser.retry is None


class TestSize:
    def test_a_line_without_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_sse, "MAX_EVENT", 100)
        parser = EventParser()
        parser.feed(b"data: " + b"x" * 90)
        with pytest.raises(EventSizeError, match=r"^an event of the stream has more than 100 characters$"):
            parser.feed(b"x" * 90)

    def test_an_event_without_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_sse, "MAX_EVENT", 100)
        with pytest.raises(EventSizeError, match=r"^an event of the stream has more than 100 characters$"):
            EventParser().feed(b"data: 12345678\n" * 20)

    def test_a_long_stream_of_small_events_is_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_sse, "MAX_EVENT", 100)
        assert len(EventParser().feed(b":\ndata: 12345678\n\n" * 200)) == 200
