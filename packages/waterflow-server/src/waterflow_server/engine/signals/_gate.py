"""Pause: running steps finish, no new one starts, timers go on."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow

from waterflow_sdk.wire import Interval

from ._stop import Stop


class Gate:
    """Whether something new may start. Closed by pause, opened by resume; a cancel passes through it."""

    def __init__(self, stop: Stop, reason: str | None = None, pauses: Sequence[Interval] = ()) -> None:
        self.pauses: list[Interval] = list(pauses)
        """Every pause so far, the last one perhaps still open."""
        self._stop = stop
        self._reason = reason if pauses else None
        if not pauses:
            self.reason = reason

    @property
    def reason(self) -> str | None:
        """Why the run is paused; None when it is not."""
        return self._reason

    @reason.setter
    def reason(self, reason: str | None) -> None:
        if self.closed:
            self.pauses[-1] = Interval(since=self.pauses[-1].since, until=workflow.now(), reason=self._reason or "")
        if reason is not None:
            self.pauses.append(Interval(since=workflow.now(), reason=reason))
        self._reason = reason

    @property
    def closed(self) -> bool:
        """Whether the run is paused."""
        return self._reason is not None

    async def passed(self) -> None:
        """Wait until something new may start."""
        if self.closed and not self._stop.cancelled:
            await workflow.wait_condition(lambda: not self.closed or self._stop.cancelled)
