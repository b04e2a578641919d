"""The workers of an agent: three kinds of task queues, so that steps, claims and control never wait for each other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import FixedSizeSlotSupplier, Worker, WorkerTuner

from waterflow_sdk.wire import agent_queue, control_queue, group_queue

from ._claims import Claims, Gate, SlotBook
from ._execute import BEAT, Executor
from ._presence import Presence

logger = logging.getLogger("waterflow.agent")

Control = Callable[..., Any]
Activities = list[Control]

_CONTROL_SLOTS = 20
_CONTROL_BEAT = 10.0  # the lease sends every other heartbeat by itself, not by its worker
_STEP_POLLS = 2
_RESTART_AFTER = 2.0

STOP_MARGIN = 30.0
"""Seconds beyond the grace period in which steps that were ended still report their outcome."""


class QueueWorker:
    """One worker on one queue, started again when it fails."""

    def __init__(self, queue: str, client: Client, make: Callable[[Client], Worker]) -> None:
        self._queue = queue
        self._client = client
        self._make = make
        self._worker: Worker | None = None
        self._task = asyncio.create_task(self._run(), name=f"worker on {queue}")

    def use(self, client: Client) -> None:
        """From now on calls Temporal with this client."""
        self._client = client
        if self._worker:
            self._worker.client = client

    async def stop(self) -> None:
        """Polls no more; activities that still run are told that their worker stops, and end."""
        if self._worker and self._worker.is_running:
            await self._worker.shutdown()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                self._worker = self._make(self._client)
                await self._worker.run()
            except (
                Exception
            ) as error:  # a worker only ends by itself when polling fails for good, such as by permission
                logger.error("polling %s failed: %s; trying again", self._queue, error)
                await asyncio.sleep(_RESTART_AFTER)
            else:
                return


def control_worker(client: Client, agent_id: str, presence: Presence, more: Sequence[Control] = ()) -> QueueWorker:
    """Lease, manifests, configuration, and what else the server may ask at any time."""
    activities: Activities = [presence.lease, presence.manifests, presence.configure, *more]
    return _worker(client, control_queue(agent_id), activities, slots=_CONTROL_SLOTS, polls=1, beat=_CONTROL_BEAT)


def step_worker(client: Client, agent_id: str, executor: Executor, slots: int, stop_grace: float) -> QueueWorker:
    """Steps, as many at once as the agent has slots."""
    activities: Activities = [executor.execute]
    grace = stop_grace + STOP_MARGIN
    return _worker(client, agent_queue(agent_id), activities, slots=slots, polls=_STEP_POLLS, beat=BEAT, grace=grace)


def _worker(
    client: Client, queue: str, activities: Activities, *, slots: int, polls: int, beat: float, grace: float = 0.0
) -> QueueWorker:
    return QueueWorker(
        queue,
        client,
        lambda client: Worker(
            client,
            task_queue=queue,
            activities=activities,
            max_concurrent_activities=slots,
            max_concurrent_activity_task_polls=polls,
            # The default sends heartbeats at 80 % of the time-out only, and so learns of a cancel that late.
            max_heartbeat_throttle_interval=timedelta(seconds=beat),
            default_heartbeat_throttle_interval=timedelta(seconds=beat),
            graceful_shutdown_timeout=timedelta(seconds=grace),
        ),
    )


class GroupWorkers:
    """One worker for each group that the agent takes claims from."""

    def __init__(self, client: Client, claims: Claims, book: SlotBook) -> None:
        self._client = client
        self._claims = claims
        self._book = book
        self._workers: dict[str, QueueWorker] = {}
        self._lock = asyncio.Lock()

    async def use(self, client: Client) -> None:
        """From now on calls Temporal with this client."""
        async with self._lock:
            self._client = client
            for worker in self._workers.values():
                worker.use(client)

    async def poll(self, groups: Iterable[str]) -> None:
        """From now on polls exactly these groups."""
        wanted = set(groups)
        async with self._lock:
            gone = [self._workers.pop(group) for group in sorted(self._workers.keys() - wanted)]
            for group in sorted(wanted - self._workers.keys()):
                self._workers[group] = QueueWorker(group_queue(group), self._client, self._make(group))
            await asyncio.gather(*(worker.stop() for worker in gone))

    def _make(self, group: str) -> Callable[[Client], Worker]:
        few = FixedSizeSlotSupplier(1)
        return lambda client: Worker(
            client,
            task_queue=group_queue(group),
            activities=[self._claims.claim],
            tuner=WorkerTuner.create_composite(
                workflow_supplier=few,
                activity_supplier=Gate(self._book),
                local_activity_supplier=few,
                nexus_supplier=few,
            ),
            max_concurrent_activity_task_polls=1,
            graceful_shutdown_timeout=timedelta(0),
        )
