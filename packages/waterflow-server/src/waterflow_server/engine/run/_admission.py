"""Before the first job of a run: its time has come, its concurrency group is its own, its agents have its secrets."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

from waterflow_dsl.plan import Plan

from ...inquiry import Finding
from .._clock import durable_now
from .._wire import RunInput
from ..signals._stop import Stop
from ..signals._turn import Turn, wholes
from ._inquiry import inquire, is_asked
from ._lock import run_lock


class Admission:
    """Waits until the run may start; ``reason`` says for what. ``turn`` is given back by whoever ends the run."""

    def __init__(self, given: RunInput, stop: Stop) -> None:
        self.turn = Turn(stop)
        self._given = given
        self._stop = stop
        self._starts = ""
        self._asks = ""

    @property
    def reason(self) -> str:
        """What it waits for, in words; empty while it does not."""
        return self._starts or self.turn.reason or self._asks

    async def admit(self, plan: Plan, hold: Callable[[], None], begin: Callable[[], None]) -> bool:
        """Wait; false when the run was stopped first: nothing of it runs. ``hold`` is called before each wait and
        ``begin`` after it; neither where there is nothing to wait for. Raises StepFailure.
        """
        if not await self._due(hold, begin):
            return False
        given = self._given
        lock = given.concurrency or run_lock(given, plan, durable_now(), self._within())
        if lock is None:
            return True
        hold()
        if not await self.turn.take(lock, enqueued=given.concurrency is not None):
            return False
        begin()
        return True

    async def inquire(self) -> Finding:
        """What agents say of the secrets that they have to read; nothing where there are none."""
        if not is_asked(self._given):
            return Finding()
        self._asks = "asks agents for its secrets"
        finding = await inquire(self._given, self._stop)
        self._asks = ""
        return finding

    async def _due(self, hold: Callable[[], None], begin: Callable[[], None]) -> bool:
        """Wait for the time at which the run is to start; false when it was stopped before."""
        run_at = self._given.run_at
        if run_at is None or run_at <= workflow.now():
            return True
        hold()
        self._starts = f"starts at {run_at.isoformat().replace('+00:00', 'Z')}"
        try:
            await workflow.wait_condition(lambda: self._stop.state is not None, timeout=run_at - workflow.now())
        except TimeoutError:
            self._starts = ""
            begin()
            return True
        return False

    def _within(self) -> list[str]:
        """Ids of the workflows that wait for this one: it must not wait for a concurrency group of theirs."""
        given = self._given
        if given.parent is not None:
            return given.awaited
        return given.call.within if given.call else wholes()
