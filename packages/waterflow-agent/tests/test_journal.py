"""The journal: one attempt is executed at most once, whatever happens to the agent."""

from __future__ import annotations

import os
import resource
from datetime import UTC, datetime
from pathlib import Path

import pytest

from waterflow_agent._journal import Journal, Unfinished
from waterflow_sdk.codec import KeyRing, PayloadCodec, UnknownKey
from waterflow_sdk.wire import NodeOutcome, State

from .conftest import AGENT, key

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
OUTCOME = NodeOutcome(state=State.SUCCESS, agent=AGENT, started=AT, ended=AT, outputs={"token": "hidden-value"})
RING = KeyRing(active="k1", keys={"k1": b"1" * 32})


class TestOutcome:
    def test_of_an_attempt_that_has_ended(self, journal: Journal) -> None:
        journal.start(key(), "i1", AT)
        journal.finish(key(), OUTCOME)
        assert journal.outcome(key()) == OUTCOME

    def test_of_one_that_runs_or_is_unknown(self, journal: Journal) -> None:
        journal.start(key(), "i1", AT)
        assert journal.outcome(key()) is None
        assert journal.outcome(key(attempt=2)) is None

    def test_is_sealed_on_the_disk(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path, PayloadCodec(RING))
        journal.start(key(), "i1", AT)
        journal.finish(key(), OUTCOME)
        assert not any(b"hidden-value" in path.read_bytes() for path in tmp_path.iterdir())
        assert journal.outcome(key()) == OUTCOME

    def test_with_a_key_that_is_gone(self, tmp_path: Path) -> None:
        Journal(tmp_path, PayloadCodec(RING)).finish(key(), OUTCOME)
        with pytest.raises(UnknownKey, match=r"^payload is sealed with key 'k1', which is not in this key ring$"):
            Journal(tmp_path, PayloadCodec()).outcome(key())


class TestFullDisk:
    def test_a_line_that_fits_in_part_is_none(self, journal: Journal) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)  # a write beyond is cut, then refused (setrlimit(2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
        try:
            with pytest.raises(OSError, match="No space left on device"):
                journal.start(key(), "i1", AT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert journal.unfinished() == []
        journal.start(key(), "i1", AT)
        assert [attempt.key for attempt in journal.unfinished()] == [key()]


class TestUnfinished:
    def test_has_its_process_groups(self, journal: Journal) -> None:
        journal.start(key(), "i1", AT)
        journal.process(key(), 4711, 99)
        journal.start(key("steps[1]"), "i1", AT)
        journal.finish(key("steps[1]"), OUTCOME)
        assert journal.unfinished() == [Unfinished(key(), AT, {4711: 99})]

    def test_a_group_of_which_nothing_is_left_is_no_longer_its(self, journal: Journal) -> None:
        journal.start(key(), "i1", AT)
        journal.process(key(), 4711, 99)
        journal.process(key(), 4712, 100)
        journal.process_ended(key(), 4711)
        assert journal.unfinished() == [Unfinished(key(), AT, {4712: 100})]

    def test_after_a_reboot_no_group_is_left(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        journal.start(key(), "i1", AT)
        journal.process(key(), 4711, 99)
        monkeypatch.setattr(journal, "_boot", "another")
        assert journal.unfinished() == [Unfinished(key(), AT, {})]

    def test_a_line_that_was_cut_is_ignored(self, journal: Journal, tmp_path: Path) -> None:
        journal.start(key(), "i1", AT)
        (file,) = (tmp_path / "attempts").iterdir()
        with file.open("ab") as stream:
            stream.write(b'{"outcome":"c3Vj')
        assert journal.unfinished() == [Unfinished(key(), AT, {})]
        journal.finish(key(), OUTCOME)
        assert journal.outcome(key()) == OUTCOME


class TestAge:
    def test_old_ones_are_forgotten(self, journal: Journal, tmp_path: Path) -> None:
        journal.finish(key(), OUTCOME)
        (file,) = (tmp_path / "attempts").iterdir()
        os.utime(file, (0, 0))
        journal.finish(key("steps[1]"), OUTCOME)
        journal.forget_older_than(3600)
        assert journal.outcome(key()) is None
        assert journal.outcome(key("steps[1]")) == OUTCOME

    def test_what_still_runs_stays_however_long_ago_it_began(self, journal: Journal, tmp_path: Path) -> None:
        journal.start(key(), "i1", AT)
        (file,) = (tmp_path / "attempts").iterdir()
        os.utime(file, (0, 0))
        journal.forget_older_than(3600)
        journal.finish(key(), OUTCOME)
        assert journal.outcome(key()) == OUTCOME
        os.utime(file, (0, 0))
        journal.forget_older_than(3600)
        assert journal.outcome(key()) is None


class TestFiles:
    def test_none_is_open_beyond_the_end_of_its_attempt(self, journal: Journal) -> None:
        before = len(os.listdir("/proc/self/fd"))
        journal.start(key(), "i1", AT)
        assert len(os.listdir("/proc/self/fd")) == before + 1
        journal.finish(key(), OUTCOME)
        assert len(os.listdir("/proc/self/fd")) == before
