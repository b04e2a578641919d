"""Child workflows of a run or shard: how many are open and start at once, and what they are told."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from .._wire import CANCEL_SIGNAL, CancelOrder
from ..signals._stop import Stop

Child = workflow.ChildWorkflowHandle[Any, Any]
Message = tuple[str, Any]

OPEN_AT_ONCE = 900
"""Children that one workflow has open at once; Temporal refuses more than 2,000, and is slow before that."""

STARTED_AT_ONCE = 50
"""Starts under way at once: all the starts of one workflow task travel in one message, which may have 4 MB."""


class Children:
    """The children of one workflow, by family (a job). More than a workflow bears wait for their turn."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._open = asyncio.Semaphore(OPEN_AT_ONCE)
        self._starting = asyncio.Semaphore(STARTED_AT_ONCE)
        self._alive: dict[str, dict[str, Child]] = {}
        self._missed: dict[str, dict[str, list[Message]]] = {}

    def found(self, family: str) -> None:
        """A family begins; those that began first hear first."""
        self._alive.setdefault(family, {})
        self._missed.setdefault(family, {})

    async def enter(self) -> None:
        """Wait until another child may be open; :meth:`leave` follows when it has ended."""
        await self._open.acquire()

    def leave(self) -> None:
        """A child has ended."""
        self._open.release()

    async def start(self, family: str, kind: str, given: Any, id: str, result: type[Any]) -> Child:
        """Start a child workflow. What its family was told meanwhile reaches it before this returns."""
        missed = self._missed[family][id] = []
        waits = not self._starting.locked() or workflow.patched("2026-11-bounded-starts")
        if waits:
            await self._starting.acquire()
        try:
            child = await workflow.start_child_workflow(
                kind,
                given,
                id=id,
                result_type=result,
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            )
        finally:
            if waits:
                self._starting.release()
            del self._missed[family][id]
        self._alive[family][id] = child
        await self._catch_up(child, missed)
        return child

    async def _catch_up(self, child: Child, missed: list[Message]) -> None:
        """What was said while the child was being started. It is cancelled once: twice would end its ``finally``."""
        if self._stop.cancelled:
            missed = [message for message in missed if message[0] != CANCEL_SIGNAL]
            await tell(child, CANCEL_SIGNAL, CancelOrder(reason=self._stop.reason, force=self._stop.force))
        if missed and workflow.patched("2026-11-told-at-start"):
            for signal, argument in missed:
                await tell(child, signal, argument)

    async def send(self, signal: str, argument: Any, *only: str) -> None:
        """Signal every child that lives, or those of some families; those that are being started hear it then."""
        families = only or list(self._alive)
        for name in families:
            for missed in self._missed[name].values():
                missed.append((signal, argument))
        children = [child for name in families for child in self._alive[name].values() if not child.done()]
        if len(children) > 1 and workflow.patched("2026-11-told-at-once"):
            await asyncio.gather(*(tell(child, signal, argument) for child in children))
            return
        for child in children:
            if not child.done():
                await tell(child, signal, argument)


async def tell(child: Child, signal: str, argument: Any) -> None:
    """Signal a child; one that has just ended needs no word any more."""
    try:
        await child.signal(signal, argument)
    except ApplicationError:
        workflow.logger.debug("workflow %s had ended before the signal %s", child.id, signal)
