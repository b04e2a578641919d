"""``WaterflowLock``: the coordinator of one concurrency group."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from ._queue import LockQueue
from ._watch import Watch
from ._wire import (
    ENQUEUE_SIGNAL,
    LOCK_WORKFLOW,
    QUEUE_QUERY,
    RELEASE_SIGNAL,
    VERDICT_SIGNAL,
    LockMember,
    LockMemory,
    LockView,
)

IDLE = timedelta(seconds=15)
"""How long a coordinator stays when nobody needs it: who comes in this time finds its memory of former members."""

ASSURE_AFTER = timedelta(hours=1)
"""How often a holder that nobody waits for is asked whether it is still there. When somebody waits, it is watched."""

EVENTS_PER_RUN = 2000
"""History events after which the coordinator continues as new."""


@workflow.defn(name=LOCK_WORKFLOW)
class WaterflowLock:
    """Lets the members of one group in, in the order in which they came. Ends when nobody has come for a while."""

    @workflow.init
    def __init__(self, memory: LockMemory) -> None:
        self._queue = LockQueue(memory)
        self._watch = Watch()

    @workflow.run
    async def run(self, memory: LockMemory) -> None:  # noqa: ARG002 - given to __init__, as workflow.init wants
        """From the first member to the last."""
        while not self._queue.empty or await self._somebody_comes():
            await self._deliver()
            if self._history_is_long() and not self._queue.outbox:
                workflow.continue_as_new(self._queue.memory())
            await self._attend()

    @workflow.signal(name=ENQUEUE_SIGNAL)
    def enqueue(self, member: LockMember) -> None:
        """A member gets in line; again is no harm."""
        self._queue.enqueue(member)

    @workflow.signal(name=RELEASE_SIGNAL)
    def release(self, id: str) -> None:
        """A member leaves: it is done, or gave up waiting."""
        self._queue.leave(id)

    @workflow.query(name=QUEUE_QUERY)
    def view(self) -> LockView:
        """Who has the group and who waits."""
        return self._queue.view()

    async def _somebody_comes(self) -> bool:
        self._watch.follow(None)
        try:
            await workflow.wait_condition(lambda: not self._queue.empty, timeout=IDLE)
        except TimeoutError:
            return False
        return True

    async def _deliver(self) -> None:
        """Tell everybody what there is to be told. Who cannot be told that its turn has come has lost it."""
        while self._queue.outbox:
            to, verdict = self._queue.outbox.popleft()
            try:
                await workflow.get_external_workflow_handle(to).signal(VERDICT_SIGNAL, verdict)
            except ApplicationError:  # it has ended
                if verdict.granted:
                    self._queue.leave(to)

    async def _attend(self) -> None:
        """Until there is something to be told, the holder is gone, or the history wants to be cut."""
        queue, holder = self._queue, self._queue.holder
        if holder is None:
            return
        contended = bool(queue.waiting)
        self._watch.follow(holder.id if contended else None)

        def stirred() -> bool:
            return (
                bool(queue.outbox)
                or queue.holder is not holder
                or bool(queue.waiting) != contended
                or self._watch.ended
                or self._history_is_long()
            )

        try:
            await workflow.wait_condition(stirred, timeout=None if contended else ASSURE_AFTER)
        except TimeoutError:
            queue.assure()
        if self._watch.ended:
            queue.leave(holder.id)

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > EVENTS_PER_RUN
