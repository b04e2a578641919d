"""The transcript of a process: sealed, cut where a kill cut it, given up where there is no room."""

from __future__ import annotations

from pathlib import Path

import pytest

from waterflow_agent._keeping._transcript import Transcript, stored_events

KEY = bytes(range(32))
EVENTS = [(b"1", b"secret one\n"), (b"2", b""), (b"c", b"1"), (b"x", b"-15 fenced")]


def written(path: Path, max_bytes: int = 1 << 20) -> Transcript:
    transcript = Transcript(path, KEY, max_bytes)
    transcript.create()
    transcript.append(EVENTS[:1])
    transcript.append(EVENTS[1:])
    return transcript


class TestTranscript:
    def test_gives_back_what_was_written(self, tmp_path: Path) -> None:
        assert written(tmp_path / "t").events == len(EVENTS)
        again = Transcript(tmp_path / "t", KEY, 1 << 20)
        assert list(again.read()) == EVENTS
        again.append([(b"1", b"more")])
        assert list(Transcript(tmp_path / "t", KEY, 1 << 20).read()) == [*EVENTS, (b"1", b"more")]

    def test_nobody_reads_it_without_the_key(self, tmp_path: Path) -> None:
        written(tmp_path / "t")
        assert b"secret" not in (tmp_path / "t").read_bytes()
        assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600
        assert list(Transcript(tmp_path / "t", bytes(32), 1 << 20).read()) == []

    @pytest.mark.parametrize("cut", [1, 5, 20, 40])
    def test_a_record_that_a_kill_cut_is_cut_away(self, tmp_path: Path, cut: int) -> None:
        written(tmp_path / "t")
        data = (tmp_path / "t").read_bytes()
        (tmp_path / "t").write_bytes(data[:-cut])
        assert stored_events(tmp_path / "t") == 1
        again = Transcript(tmp_path / "t", KEY, 1 << 20)
        assert list(again.read()) == EVENTS[:1]
        again.append(EVENTS[1:])
        assert list(Transcript(tmp_path / "t", KEY, 1 << 20).read()) == EVENTS

    def test_one_that_would_be_too_long_is_given_up(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        transcript = written(tmp_path / "t", max_bytes=60)
        transcript.append([(b"1", b"after")])
        assert not transcript.whole
        assert stored_events(tmp_path / "t") == 0
        assert caplog.messages == [
            "a step will not survive a restart of the agent: t: it would be longer than 60 bytes"
        ]

    def test_where_nothing_can_be_written_it_is_given_up(self, tmp_path: Path) -> None:
        transcript = Transcript(tmp_path / "nowhere" / "t", KEY, 1 << 20)
        transcript.create()
        transcript.append(EVENTS)
        assert not transcript.whole
