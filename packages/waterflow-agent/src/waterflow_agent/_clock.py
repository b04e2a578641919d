"""Times: what is shown, and what is measured."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds on a clock that never jumps and, where the system has one, counts the time a host was suspended."""
    return time.clock_gettime(_CLOCK)


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
