"""Saying hello and keeping the lease: how the server knows that this agent is there."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from temporalio import activity
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from waterflow_sdk.wire import (
    AGENT_WORKFLOW,
    CONFIGURE_ACTIVITY,
    DUPLICATE_SIGNAL,
    HELLO_UPDATE,
    LEASE_ACTIVITY,
    MANIFESTS_ACTIVITY,
    ORCHESTRATOR_QUEUE,
    AgentConfig,
    AgentDuplicate,
    AgentHello,
    AgentLoad,
    LeaseGrant,
    NodeManifest,
    agent_workflow_id,
)

from ._errors import Refused
from ._notices import Notices
from ._refusal import is_final, is_taken, why
from ._standing import Standing, standing

logger = logging.getLogger("waterflow.agent")

BEAT = 5.0
"""Seconds between heartbeats of the lease, where the agent's time-out leaves room for three of them."""

_BEAT_TIMEOUT = timedelta(seconds=4)
_HELLO_TIMEOUT = timedelta(seconds=10)
_LEASE_WITHIN = 30.0
_LONGEST_WAIT = 120.0
_LEASE_ANEW = 3.0
"""Seconds after which a lease that has run out is asked for. One that the server took back comes again by itself, or
went to another process with this agent's id, which is not to be driven out at once."""

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
_SIGNAL_WITHIN = timedelta(seconds=2)


class _Saying(NamedTuple):
    """One hello, however often it is sent: Temporal knows the update again by its number and answers what it answered,
    so that a server that is slow gets no more to do.
    """

    hello: AgentHello
    number: int
    since: float

    def outdated(self, hello: AgentHello) -> bool:
        """Whether there is something new to say, or the lease that this hello was given has waited for too long."""
        return hello != self.hello or time.monotonic() - self.since > hello.heartbeat_timeout


class Presence:
    """The lease of one incarnation, and the control activities beside it.

    ``configured`` is called with the groups and the mode whenever the server says them.
    """

    def __init__(
        self,
        client: Client,
        hello: Callable[[], AgentHello],
        load: Callable[[], AgentLoad],
        manifests: Callable[[list[str]], list[NodeManifest]],
        configured: Callable[[AgentConfig], None],
        notices: Notices,
    ) -> None:
        self.client = client
        self._hello = hello
        self._load = load
        self._find_manifests = manifests
        self._configured = configured
        self._notices = notices
        self._leases = 0
        self._changed = asyncio.Event()
        self._stopped: str | None = None
        self._newest = 0
        self._hellos = 0
        self._taken_back = False
        self._refused_as = ""
        self._wake = asyncio.Event()

    @property
    def leased(self) -> bool:
        """Whether the server has given us a lease that we still hold."""
        return self._leases > 0

    async def introduce(self) -> None:
        """Says hello until it is accepted. Raises Refused when it never will be.

        An incarnation that is known already says hello again when its nodes have changed: the server learns what is
        new and then gives another lease, so that neither side needs to know of a second way.
        """
        attempt = 0
        saying = self._next_hello()
        while True:
            if saying.outdated(self._hello()):
                saying = self._next_hello()
            try:
                config = await self._say(saying)
            except (RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
                self._notices.say("server", logging.ERROR if is_taken(error) else logging.WARNING, why(error))
                if is_taken(error):
                    await self._show_duplicate(why(error))
            else:
                self._refused_as = ""
                self._notices.clear("server", "the server has accepted this agent")
                self._configured(config)
                return
            await asyncio.sleep(_spread(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)]))
            attempt += 1

    async def keep(self) -> None:
        """Says hello again whenever the lease was lost, for ever. Raises Refused.

        All agents of a server lose their leases at once, by an outage; so none of them comes back at an exact time.
        """
        patience = _LEASE_WITHIN
        while True:
            if await self._leased_within(_spread(patience)):
                self._notices.clear("lease", "the server has given a lease")
                await self._until(lambda: not self.leased)
                patience = _LEASE_WITHIN if self._taken_back else _LEASE_ANEW
                continue
            self._notices.say("lease", logging.WARNING, "the server gives no lease; saying hello again")
            await self.introduce()
            # A server that has much to do needs not be asked again and again.
            patience = min(max(patience * 2, _LEASE_WITHIN), _LONGEST_WAIT)

    def stop(self, reason: str) -> None:
        """Ends the lease; the reason is what the server shows."""
        self._stopped = reason
        self._wake.set()

    async def bye(self, reason: str) -> None:
        """Tells the server that this incarnation takes no new work. Silent when nobody can hear it."""
        await self._signal("bye", {"incarnation": self._hello().incarnation, "reason": reason})

    async def withdraw(self) -> None:
        """Says bye as one that was refused, where that is shown."""
        if self._refused_as:
            await self.bye("it is stopping")

    async def given_back(self, within: float) -> None:
        """Waits until the lease has ended after :meth:`stop`."""
        try:
            async with asyncio.timeout(within):
                await self._until(lambda: not self.leased)
        except TimeoutError:
            logger.info("the lease could not be given back in time; it will run out")

    @activity.defn(name=LEASE_ACTIVITY)
    async def lease(self, grant: LeaseGrant) -> str:
        """Runs as long as this incarnation lives; its heartbeats carry the load."""
        hello = self._hello()
        if grant.incarnation != hello.incarnation:
            return f"incarnation {grant.incarnation} is gone; {hello.incarnation} took over"
        self._count(1)
        self._taken_back = False
        self._newest += 1
        number = self._newest
        self._wake.set()  # former leases end now, not at their next beat: each takes a slot
        self._wake = wake = asyncio.Event()
        every = min(BEAT, hello.heartbeat_timeout / 3)
        try:
            turns = itertools.cycle((False, True))
            while self._stopped is None:
                if number != self._newest:
                    return "a newer lease was given"
                if not await self._beat(by_worker=next(turns)):
                    return "the lease is lost"
                await _wait(wake, every)
            return self._stopped
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            self._taken_back = details is not None and details.cancel_requested
            raise
        finally:
            self._count(-1)

    async def _beat(self, *, by_worker: bool) -> bool:
        """Sends a heartbeat. False if the lease is known to be lost.

        Each heartbeat costs Temporal a write, which is most of what an idle fleet costs. So they take turns: one is
        sent here and waits for the answer, so that an outage is noticed; the next by the worker, which would else call
        the activity timed out by itself, and cancels it where the lease is lost.
        """
        load = self._load()
        if by_worker:
            activity.heartbeat(load)
            return True
        lease = self.client.get_async_activity_handle(task_token=activity.info().task_token)
        match await standing(lease, load, within=_BEAT_TIMEOUT):
            case Standing.CANCELLED:
                self._taken_back = True
                return False
            case Standing.GONE:
                return False
            case Standing.SILENT:
                self._notices.say("contact", logging.WARNING, "no contact to Temporal; running steps go on")
            case Standing.OURS:
                self._notices.clear("contact", "contact to Temporal again")
        return True

    @activity.defn(name=MANIFESTS_ACTIVITY)
    async def manifests(self, digests: list[str]) -> list[NodeManifest]:
        """The manifests behind some digests."""
        return self._find_manifests(digests)

    @activity.defn(name=CONFIGURE_ACTIVITY)
    async def configure(self, config: AgentConfig) -> None:
        """Groups or mode have changed."""
        self._configured(config)

    def _next_hello(self) -> _Saying:
        self._hellos += 1
        return _Saying(self._hello(), self._hellos, time.monotonic())

    async def _say(self, saying: _Saying) -> AgentConfig:
        hello = saying.hello
        start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            AGENT_WORKFLOW,
            id=agent_workflow_id(hello.id),
            task_queue=ORCHESTRATOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            return await self.client.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType]
                HELLO_UPDATE,
                hello,
                start_workflow_operation=start,
                id=f"{hello.incarnation}/{saying.number}",
                result_type=AgentConfig,
                rpc_timeout=_HELLO_TIMEOUT,
            )
        except WorkflowUpdateFailedError as error:
            if is_final(error):
                raise Refused(str(getattr(error.cause, "message", error.cause))) from error
            raise
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None  # it is us who are cancelled, and temporalio makes an error of it
            raise
        finally:
            await _look_at(start)

    async def _show_duplicate(self, reason: str) -> None:
        """A refusal leaves no trace where people look at the agent that has the id: it is told there, once for each."""
        if reason == self._refused_as:
            return
        hello = self._hello()
        note = AgentDuplicate(
            incarnation=hello.incarnation,
            name=hello.name,
            host=hello.host,
            directory=hello.home.directory if hello.home else "",
            process=hello.home.process if hello.home else 0,
        )
        if await self._signal(DUPLICATE_SIGNAL, note):
            self._refused_as = reason

    async def _signal(self, name: str, note: object) -> bool:
        handle = self.client.get_workflow_handle(agent_workflow_id(self._hello().id))
        try:
            await handle.signal(name, note, rpc_timeout=_SIGNAL_WITHIN)
        except RPCError as error:
            logger.info("the server could not be told (%s): %s", name, error.message)
            return False
        return True

    def _count(self, change: int) -> None:
        self._leases += change
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    async def _leased_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._until(lambda: self.leased)
        except TimeoutError:
            return False
        return True


async def _look_at(start: WithStartWorkflowOperation[object, object]) -> None:
    """A start that failed fails its update too; asyncio would log it as an error that nobody has looked at."""
    task = asyncio.current_task()
    cancels = task.cancelling() if task else 0
    try:
        async with asyncio.timeout(0):
            await start.workflow_handle()
    except asyncio.CancelledError:  # of the start, which was cancelled when its time was over; or it is us
        if task and task.cancelling() > cancels:
            raise
    except Exception:  # the update has failed of the same
        pass


def _spread(seconds: float) -> float:
    """About as long, and never the same for two agents."""
    return seconds * random.uniform(0.5, 1.5)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
