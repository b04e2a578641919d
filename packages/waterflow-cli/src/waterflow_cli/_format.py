"""States, times and durations in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from waterflow_sdk.wire import ErrorInfo, State

COLOURS = {
    State.SUCCESS: "green",
    State.FAILED: "red",
    State.TIMED_OUT: "red",
    State.CANCELLED: "yellow",
    State.SKIPPED: "bright_black",
    State.RUNNING: "cyan",
    State.PAUSED: "yellow",
    State.WAITING: "yellow",
}

MARKS = {
    State.SUCCESS: "✓",
    State.FAILED: "✗",
    State.TIMED_OUT: "✗",
    State.CANCELLED: "⊘",
    State.SKIPPED: "-",
    State.RUNNING: "●",
    State.PAUSED: "‖",
    State.WAITING: "…",
}


def colour(state: State) -> str:
    """The colour of a state."""
    return COLOURS.get(state, "default")


def mark(state: State) -> str:
    """One character that stands for a state."""
    return MARKS.get(state, "·")


def duration(seconds: float) -> str:
    """``0.4s``, ``12s``, ``3m 05s``, ``2h 04m``, ``3d 02h``."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}h"


def between(started: datetime | None, ended: datetime | None, now: datetime | None = None) -> str:
    """How long something took, or takes until now; empty when it has not begun."""
    if started is None:
        return ""
    return duration(((ended or now or datetime.now(UTC)) - started) / timedelta(seconds=1))


def moment(when: datetime | None) -> str:
    """Local date and time, to the second."""
    return "" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def error_text(error: ErrorInfo | None, reason: str = "") -> str:
    """Why something failed, on one line."""
    return " ".join((error.message if error else reason).split())
