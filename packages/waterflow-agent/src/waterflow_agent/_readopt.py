"""Activities that a former incarnation took over: their attempts were adopted, so they are kept alive and completed.

Temporal still waits for them, if their heartbeats were not missed meanwhile, and knows them by their tokens.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec
from temporalio.client import AsyncActivityHandle, Client
from temporalio.service import RPCError, RPCStatusCode

from . import _clock
from ._attempts import Attempt, AttemptBook
from ._claims import SlotBook
from ._execute import BEAT
from ._orphans import Orphans
from ._standing import PATIENCE, Standing, standing
from ._stop import StopReason

logger = logging.getLogger("waterflow.agent")


class Readopted:
    """Looks after the attempts that were adopted at the start, until their activities end or are lost."""

    def __init__(self, client: Client, attempts: AttemptBook, slots: SlotBook, orphans: Orphans) -> None:
        self.client = client
        self._attempts = attempts
        self._slots = slots
        self._orphans = orphans
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """From now on. Nobody else can have them: they are at the keeper of a state directory that is locked."""
        for attempt in self._attempts.adopted:
            task = asyncio.create_task(self._keep(attempt), name=f"adopted {attempt.key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def reported(self) -> None:
        """Waits until all outcomes are told."""
        await asyncio.gather(*self._tasks)

    async def _keep(self, attempt: Attempt) -> None:
        job = (attempt.key.run, attempt.key.job)
        token = attempt.delivery.token
        self._slots.begin(job)
        try:
            while not attempt.ended.done():
                if not await self._beat(attempt, token):
                    return
                await asyncio.wait([attempt.ended], timeout=BEAT)
            await self._complete(attempt, token)
        finally:
            self._slots.end(job)

    def _handle(self, token: bytes) -> AsyncActivityHandle:
        return self.client.get_async_activity_handle(task_token=token)  # the client may be another one now

    async def _beat(self, attempt: Attempt, token: bytes) -> bool:
        """False when the activity is lost: then the attempt is sent again, or its run is over."""
        sent = _clock.elapsed()
        answer = await standing(self._handle(token))
        if answer is Standing.GONE:
            if attempt.deliveries == 1:  # nobody holds it by now
                self._orphans.watch(attempt)
            return False
        if answer is not Standing.SILENT:
            attempt.contact(sent)
        if answer is Standing.CANCELLED:
            attempt.stop(StopReason.CANCELLED)
        return True

    async def _complete(self, attempt: Attempt, token: bytes) -> None:
        """Until it is told or nobody wants to know it. The attempt sent again is answered from the journal."""
        outcome = msgspec.structs.replace(attempt.ended.result(), adopted=True)
        while True:
            try:
                await self._handle(token).complete(outcome, rpc_timeout=PATIENCE)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return
                await asyncio.sleep(BEAT)
            else:
                return
