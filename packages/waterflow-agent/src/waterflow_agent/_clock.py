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


class Jumps:
    """How far the wall clock was set, beyond the time that passed, since this was made."""

    def __init__(self) -> None:
        self._offset = _offset()

    @property
    def seconds(self) -> float:
        """Positive when the clock was set forward. A slow correction of the clock counts as well, and is small."""
        return _offset() - self._offset


def _offset() -> float:
    return now().timestamp() - elapsed()


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
