"""The brake of a rollout: what has not started waits, or never starts; what runs goes on to its end."""

from __future__ import annotations

from temporalio import workflow

from ..signals._stop import Stop
from ._shard_wire import BrakeOrder


class Brake:
    """Held until somebody decides, then released or, for good, halted. A cancel passes through it."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self.held = False
        self.halted = ""
        """Why nothing more starts; empty while something may."""

    def apply(self, order: BrakeOrder) -> None:
        """Do as the order says. Nothing releases what was halted."""
        self.held = order.held
        self.halted = self.halted or order.halted

    async def passed(self) -> None:
        """Wait until it is known whether something may start."""
        if self.held and not self._decided():
            await workflow.wait_condition(lambda: not self.held or self._decided())

    def _decided(self) -> bool:
        return bool(self.halted) or self._stop.cancelled
