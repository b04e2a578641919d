"""Moments of the past as people write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from waterflow_cli._errors import CliError
from waterflow_cli._past import parse_moment

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T09:30:00Z", NOW - timedelta(minutes=30)),
        ("2026-11-21T17:30:00", NOW - timedelta(minutes=30)),
        ("2026-11-21T11:30:00+02:00", NOW - timedelta(minutes=30)),
        ("17:30", NOW - timedelta(minutes=30)),
        ("17:30:01", NOW - timedelta(minutes=29, seconds=59)),
        ("18:30", NOW - timedelta(hours=23, minutes=30)),
        ("10m", NOW - timedelta(minutes=10)),
        ("1d", NOW - timedelta(days=1)),
    ],
)
def test_local_time_a_time_of_day_that_is_past_or_so_long_ago(text: str, moment: datetime) -> None:
    assert parse_moment("--at", text, NOW) == moment


@pytest.mark.parametrize("text", ["soon", "", "25:00", "99999999d", "2026-13-01"])
def test_what_is_neither_names_the_option(text: str) -> None:
    with pytest.raises(CliError, match=r"^--at .* is neither a time nor a duration$"):
        parse_moment("--at", text, NOW)
