"""The attempts on this host. An attempt lives apart from the activity that delivered it.

An activity may be lost (heartbeat time-out, Temporal away) while the attempt goes on; the same key sent again adopts
the living attempt or gets the journalled outcome. One key is executed at most once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import msgspec

from waterflow_sdk.wire import AttemptKey, NodeOutcome, NodeTask

from . import _clock
from ._fit import fitting
from ._held import Held
from ._journal import Journal
from ._stop import StopReason

logger = logging.getLogger("waterflow.agent")

Execute = Callable[["Attempt"], Awaitable[NodeOutcome]]
"""Runs an attempt to its outcome; watches :attr:`Attempt.stopping`. Never raises."""

FENCE_STEP = 0.25


class Delivery(msgspec.Struct, frozen=True):
    """The activity that holds an attempt: Temporal's name of it (``token``), and the workflow run that wants it."""

    token: bytes = b""
    workflow: str = ""
    workflow_run: str = ""


class Attempt:
    """One attempt that runs here. The times are given for one that a former incarnation began."""

    def __init__(
        self,
        task: NodeTask,
        delivery: Delivery | None = None,
        *,
        started: datetime | None = None,
        begun: float | None = None,
        contact: float | None = None,
    ) -> None:
        self.task = task
        self.key: AttemptKey = task.key
        self.delivery = delivery or Delivery()
        self.held: Held | None = None
        """What its processes are, if a former incarnation started them."""
        self.changed: Callable[[], None] | None = None
        """Told when it was delivered anew or confirmed."""
        self.started = started or _clock.now()
        self.stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reason: StopReason | None = None
        self.limit: float | None = None
        self.ended: asyncio.Future[NodeOutcome] = asyncio.get_running_loop().create_future()
        self.deliveries = 0
        self.begun = _clock.elapsed() if begun is None else begun
        self.last_contact = _clock.elapsed() if contact is None else contact

    def now(self) -> datetime:
        """The start plus what has passed since: a clock that was set meanwhile changes no duration."""
        return self.started + timedelta(seconds=self.age)

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return _clock.elapsed() - self.begun

    def stop(self, reason: StopReason, limit: float | None = None) -> None:
        """Asks the attempt to end: TERM, grace, KILL. The first reason counts."""
        if self.reason is None:
            self.reason = reason
            self.limit = limit
            self.stopping.set_result(None)

    def contact(self, at: float) -> None:
        """Temporal confirmed at this moment (of :func:`_clock.elapsed`) that the attempt is still ours."""
        self.last_contact = max(self.last_contact, at)
        if self.changed:
            self.changed()

    def delivered(self, delivery: Delivery) -> None:
        """Another activity holds it now."""
        self.delivery = delivery
        if self.changed:
            self.changed()

    @property
    def silence(self) -> float:
        """Seconds since the last confirmed contact."""
        return _clock.elapsed() - self.last_contact


class AttemptBook:
    """Living attempts by key, with the journal behind them. ``ended`` is told when an outcome is journalled."""

    def __init__(
        self,
        journal: Journal,
        incarnation: str,
        execute: Execute,
        ended: Callable[[AttemptKey], None] | None = None,
    ) -> None:
        self._tell_ended = ended
        self._journal = journal
        self.incarnation = incarnation
        self._execute = execute
        self._living: dict[str, Attempt] = {}
        self._adopted: list[Attempt] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def living(self) -> list[Attempt]:
        """Attempts that run now."""
        return list(self._living.values())

    @property
    def adopted(self) -> list[Attempt]:
        """Those that a former incarnation began, even if they have ended since the start."""
        return list(self._adopted)

    def find(self, key: AttemptKey) -> Attempt | None:
        """The living attempt of that key."""
        return self._living.get(str(key))

    def ended(self, key: AttemptKey) -> NodeOutcome | None:
        """The outcome of an attempt that has ended here, in this incarnation or in a former one."""
        outcome = self._journal.outcome(key)
        return msgspec.structs.replace(outcome, adopted=True) if outcome else None

    def start(self, task: NodeTask, delivery: Delivery | None = None) -> Attempt:
        """Begins a new attempt.

        Raises OSError if it cannot be journalled: then nothing was started.
        """
        attempt = Attempt(task, delivery)
        self._journal.start(task.key, self.incarnation, attempt.started, attempt.delivery.token, task.node)
        self.go_on(attempt)
        return attempt

    def go_on(self, attempt: Attempt) -> None:
        """Runs an attempt whose start is journalled: a new one, or one that a former incarnation began."""
        key = str(attempt.key)
        if attempt.held:
            self._adopted.append(attempt)
        self._living[key] = attempt
        self._spawn(self._run(attempt), f"attempt {key}")
        if attempt.task.fence_after is not None:
            self._spawn(_fence(attempt, attempt.task.fence_after), f"fence of {key}")

    async def stop_all(self, reason: StopReason, limit: float | None = None) -> None:
        """Ends whatever still runs and waits for it."""
        attempts = self.living
        for attempt in attempts:
            attempt.stop(reason, limit)
        await self.all_ended()

    async def all_ended(self) -> None:
        """Waits until nothing runs."""
        while self._living:
            await asyncio.wait([attempt.ended for attempt in self.living])
            await asyncio.sleep(0)

    async def _run(self, attempt: Attempt) -> None:
        outcome = fitting(await self._execute(attempt))
        try:
            self._journal.finish(attempt.key, outcome)
        except OSError as error:
            # The outcome still reaches the interpreter, unless contact is lost right now as well.
            logger.error("the outcome of %s could not be journalled: %s", attempt.key, error.strerror)
        if self._tell_ended:
            self._tell_ended(attempt.key)
        del self._living[str(attempt.key)]
        attempt.ended.set_result(outcome)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _fence(attempt: Attempt, limit: float) -> None:
    """Ends an attempt that may be reassigned once nobody has confirmed it for ``limit`` seconds."""
    while not attempt.ended.done():
        left = limit - attempt.silence
        if left <= 0:
            attempt.stop(StopReason.FENCED, limit)
            return
        await asyncio.wait([attempt.ended], timeout=min(left, FENCE_STEP))
