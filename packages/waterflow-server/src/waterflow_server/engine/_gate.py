"""Pause: running steps finish, no new one starts, timers go on."""

from __future__ import annotations

from temporalio import workflow

from ._stop import Stop


class Gate:
    """Whether something new may start. Closed by pause, opened by resume; a cancel passes through it."""

    def __init__(self, stop: Stop, reason: str | None = None) -> None:
        self.reason = reason
        self._stop = stop

    @property
    def closed(self) -> bool:
        """Whether the run is paused."""
        return self.reason is not None

    async def passed(self) -> None:
        """Wait until something new may start."""
        if self.closed and not self._stop.cancelled:
            await workflow.wait_condition(lambda: not self.closed or self._stop.cancelled)
