"""Moments of the past as people write them on a command line."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from ._errors import CliError


def parse_moment(option: str, text: str, now: datetime | None = None) -> datetime:
    """``2026-11-21T10:00:00``, ``10:14`` (the last time it was that, here) or how long ago: ``30s 10m 2h 1d``.

    Without a zone it is local time. Raises CliError naming the option.
    """
    from waterflow_dsl import parse_duration

    now = now or datetime.now(UTC)
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return _last(time.fromisoformat(text), now)
    except ValueError:
        pass
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        raise CliError(
            f"{option} {text!r} is neither a time nor a duration",
            "write 2026-11-21T10:00:00, 10:14 or, for so long ago, 30s, 10m, 2h, 1d",
        ) from None


def _last(clock: time, now: datetime) -> datetime:
    local = now.astimezone(clock.tzinfo)
    moment = datetime.combine(local.date(), clock.replace(tzinfo=local.tzinfo))
    return moment if moment <= now else moment - timedelta(days=1)
