"""One workflow per agent: who it is, whether it is there, and what it may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType, ActivityHandle

from waterflow_sdk.wire import (
    AGENT_WORKFLOW,
    CONFIGURE_ACTIVITY,
    DUPLICATE_SIGNAL,
    HELLO_UPDATE,
    LEASE_ACTIVITY,
    AgentConfig,
    AgentDuplicate,
    AgentHello,
    AgentState,
    AgentStatus,
    LeaseGrant,
    control_queue,
)

from .._search_attributes import GROUPS, KIND, NAME, STATE, TAGS
from ._ask import ask_groups
from ._facts import Assignment
from ._hello import check_groups, check_hello, is_sound
from ._learn import learn_manifests
from ._render import agent_state, why_lost
from ._wire import STATE_MEMO, AgentMemory, ByeNote, ModeChange

_ONCE = RetryPolicy(maximum_attempts=1)
_CONFIGURE_TIMEOUT = timedelta(seconds=5)
_LEASE_LIMIT = timedelta(days=3650)  # a lease ends by its heartbeats, never by age
_EVENTS_PER_RUN = 2000
_FIRST_HELLO = timedelta(seconds=60)
_GROUPS_ASKED = "2026-11-groups-asked"
_LEARNED_ONCE = "2026-11-learned-once"
_HAD_NO_MORE = "2026-11-had-no-more"
_TOLD_FOR_SURE = "2026-11-told-for-sure"
_AGAIN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=AGENT_WORKFLOW)
class AgentWorkflow:
    """Presence of one agent. The lease activity's heartbeats keep it online without growing this history.

    Its memo holds the ``AgentState``; status, name, groups and tags are search attributes too.
    """

    @workflow.init
    def __init__(self, memory: AgentMemory | None = None) -> None:
        memory = memory or AgentMemory()
        self._hello = memory.hello
        self._assigned = memory.assigned
        self._assigned_version = memory.assigned_version
        self._mode = memory.mode
        self._mode_reason = memory.mode_reason
        self._asked = int(memory.attend)
        self._granted = 0
        self._leased = False
        self._bye = ""
        self._removed = False
        self._changes = 0
        self._pushed = 0
        self._told = 0
        self._shown = memory.shown
        self._duplicate = memory.shown.duplicate if memory.shown else None
        self._crowded = False
        self._learned: set[str] = set()
        self._had: set[str] = set()

    @workflow.run
    async def run(self, memory: AgentMemory | None = None) -> None:
        """Attends one incarnation after the other until the agent is removed."""
        del memory
        try:
            await workflow.wait_condition(lambda: self._hello is not None, timeout=_FIRST_HELLO)
        except TimeoutError:
            return  # the hello that started this workflow was refused
        while not self._removed:
            await workflow.wait_condition(lambda: self._superseded or self._removed)
            if self._superseded and not self._removed:
                await self._bound_history()
                self._granted = self._asked
                await self._attend(self._accepted)
        await workflow.wait_condition(workflow.all_handlers_finished)

    # ── what the agent says ──

    @workflow.update(name=HELLO_UPDATE)
    def hello(self, hello: AgentHello) -> AgentConfig:
        """A new incarnation, or one that lost its lease, asks for the lease. Answers its groups and mode."""
        if self._hello and self._hello.incarnation != hello.incarnation:
            self._duplicate = None  # refused by this one too, it says so again
        self._hello = hello
        self._bye = ""
        self._asked += 1
        self._told = self._changes
        return self._config()

    @hello.validator
    def _check_hello(self, hello: AgentHello) -> None:
        if self._removed:
            raise ApplicationError("the agent is being removed; say hello again", type="Removed")
        check_hello(hello, workflow.info().workflow_id, self._accepted if self._held else None)

    @workflow.signal
    def bye(self, note: ByeNote) -> None:
        """The incarnation stops soon: no new work for it. Notes of former incarnations are ignored."""
        if self._hello and note.incarnation == self._hello.incarnation:
            self._bye = note.reason or "it is stopping"
            self._show()
        elif self._duplicate and note.incarnation == self._duplicate.incarnation:
            self._show_duplicate(None)

    @workflow.signal(name=DUPLICATE_SIGNAL)
    def duplicate(self, other: AgentDuplicate) -> None:
        """Another agent with this id was refused, and says where it is."""
        if self._held and is_sound(other):
            self._show_duplicate(msgspec.structs.replace(other, time=workflow.now()))

    # ── what an administrator says ──

    @workflow.update
    def cordon(self, change: ModeChange) -> AgentStatus:
        """No new work; running jobs go on. Holds over restarts of the agent."""
        return self._set_mode(AgentStatus.CORDONED, change.reason)

    @workflow.update
    def drain(self, change: ModeChange) -> AgentStatus:
        """As cordon; says that the host is meant to become empty."""
        return self._set_mode(AgentStatus.DRAINING, change.reason)

    @workflow.update
    def uncordon(self, change: ModeChange) -> AgentStatus:
        """Work as usual."""
        return self._set_mode(AgentStatus.ONLINE, change.reason)

    @workflow.update
    def assign(self, groups: list[str], version: int = 0) -> list[str]:
        """Sets the groups that the server gives the agent, beside those that it names itself. Answers all of them.

        ``version`` is that of the server's groups; what comes late, from an older one, changes nothing.
        """
        if self._assign(Assignment(groups=groups, version=version)):
            self._show()
        return self._groups()

    @assign.validator
    def _check_assign(self, groups: list[str], version: int = 0) -> None:
        del version
        check_groups([*(self._hello.groups if self._hello else []), *groups])

    @workflow.update
    def remove(self) -> None:
        """Forgets the agent; refused while it holds its lease."""
        self._removed = True

    @remove.validator
    def _check_remove(self) -> None:
        if self._leased and self._shown:
            raise ApplicationError(
                f"agent {self._shown.name!r} is {self._shown.status}; stop it on its host before it is removed",
                type="AgentAlive",
            )

    # ── one incarnation ──

    @property
    def _accepted(self) -> AgentHello:
        if self._hello is None:
            raise ApplicationError("no hello was accepted yet", type="NoHello")
        return self._hello

    @property
    def _held(self) -> bool:
        """Whether an agent has the lease, or is to get it anew after a roll-over of this workflow."""
        return self._shown is not None and self._shown.status is not AgentStatus.OFFLINE

    @property
    def _superseded(self) -> bool:
        return self._asked > self._granted

    async def _attend(self, hello: AgentHello) -> None:
        try:
            await self._learn(hello)
        except ActivityError as error:
            self._lost(why_lost(error, hello))
            return
        if workflow.patched(_GROUPS_ASKED):
            assignment = await ask_groups(hello)
            if assignment is not None:
                self._assign(assignment)
        if self._superseded:
            return
        lease = self._grant(hello)
        self._leased = True
        self._show()
        await self._watch(lease)
        if not lease.done():
            lease.cancel()
        try:
            reason = await lease
        except ActivityError as error:
            reason = why_lost(error, hello)
        if not self._superseded:
            self._lost(reason)

    async def _learn(self, hello: AgentHello) -> None:
        """Who comes back with the nodes it had is not asked again: manifests never change, and none is forgotten while
        an agent has its node. One that it had no more may have been forgotten since.
        """
        digests = set(hello.nodes.values())
        new = digests - self._learned or not workflow.patched(_LEARNED_ONCE)
        if new or (digests - self._had and workflow.patched(_HAD_NO_MORE)):
            self._learned |= await learn_manifests(hello)
        self._had = digests

    def _assign(self, assignment: Assignment) -> bool:
        groups = sorted(set(assignment.groups))
        if assignment.version < self._assigned_version:
            return False
        self._assigned_version = assignment.version
        if groups == self._assigned:
            return False
        self._assigned = groups
        self._changes += 1
        return True

    def _grant(self, hello: AgentHello) -> ActivityHandle[str]:
        timeout = timedelta(seconds=hello.heartbeat_timeout)
        # What has changed since its hello was answered is pushed to it as soon as it has the lease.
        self._pushed = self._told if workflow.patched(_GROUPS_ASKED) else self._changes
        return workflow.start_activity(
            LEASE_ACTIVITY,
            LeaseGrant(incarnation=hello.incarnation, groups=self._groups()),
            result_type=str,
            task_queue=control_queue(hello.id),
            heartbeat_timeout=timeout,
            schedule_to_start_timeout=timeout,
            start_to_close_timeout=_LEASE_LIMIT,
            retry_policy=_ONCE,
            cancellation_type=ActivityCancellationType.TRY_CANCEL,
        )

    async def _watch(self, lease: ActivityHandle[str]) -> None:
        """Until the lease has ended, another hello came, or the history wants to be cut."""
        while True:
            await workflow.wait_condition(
                lambda: lease.done() or self._superseded or self._changes > self._pushed or self._crowded
            )
            if lease.done() or self._superseded:
                return
            if self._changes > self._pushed:
                await self._push(lease)
            self._crowded = False
            if self._history_is_long():
                self._asked += 1  # the same incarnation gets a new lease in the next run
                return

    async def _push(self, lease: ActivityHandle[str]) -> None:
        """Tells the agent until it has heard, has lost its lease, or there is something newer to tell."""
        pushed = self._pushed = self._changes
        hello = self._accepted
        for_sure = workflow.patched(_TOLD_FOR_SURE)
        telling = workflow.start_activity(
            CONFIGURE_ACTIVITY,
            self._config(),
            task_queue=control_queue(hello.id),
            schedule_to_close_timeout=None if for_sure else _CONFIGURE_TIMEOUT,
            start_to_close_timeout=_CONFIGURE_TIMEOUT,
            retry_policy=_AGAIN if for_sure else _ONCE,
            cancellation_type=ActivityCancellationType.TRY_CANCEL,
        )
        if for_sure:
            await workflow.wait_condition(
                lambda: telling.done() or lease.done() or self._superseded or self._changes > pushed
            )
            if not telling.done():
                telling.cancel()
        try:
            await telling
        except ActivityError as error:
            if not is_cancelled_exception(error):
                workflow.logger.warning("agent %s could not be configured: %s", hello.id, error.cause)

    # ── what is shown ──

    def _groups(self) -> list[str]:
        return sorted({*(self._hello.groups if self._hello else []), *self._assigned})

    def _config(self) -> AgentConfig:
        return AgentConfig(groups=self._groups(), status=self._mode)

    def _set_mode(self, mode: AgentStatus, reason: str) -> AgentStatus:
        if (mode, reason) != (self._mode, self._mode_reason):
            self._mode, self._mode_reason = mode, reason
            self._changes += 1
            self._show()
        return mode

    def _lost(self, reason: str) -> None:
        self._leased = False
        self._show(reason)

    def _show(self, offline: str = "") -> None:
        """Publishes the state; ``offline`` is the reason once there is no lease (kept until a better one is known)."""
        if self._hello is None:
            return
        if not self._leased:
            reason = offline or (self._shown.reason if self._shown else "")
            status = AgentStatus.OFFLINE
        elif self._bye:
            status, reason = AgentStatus.DRAINING, self._bye
        else:
            status, reason = self._mode, self._mode_reason
        same = self._shown is not None and (self._shown.status, self._shown.reason) == (status, reason)
        since = self._shown.since if same and self._shown and self._shown.since else workflow.now()
        state = agent_state(self._hello, self._groups(), status, reason, since, self._duplicate)
        if state != self._shown:
            self._shown = state
            self._publish(state)

    def _show_duplicate(self, other: AgentDuplicate | None) -> None:
        self._duplicate = other
        self._crowded = self._history_is_long()
        if self._leased:  # else with the lease that is about to be given
            self._show()

    def _publish(self, state: AgentState) -> None:
        workflow.upsert_memo({STATE_MEMO: state})
        attributes: list[SearchAttributeUpdate[Any]] = [
            KIND.value_set("agent"),
            NAME.value_set(state.name),
            STATE.value_set(state.status.value),
            GROUPS.value_set(state.groups),
            TAGS.value_set(state.tags),
        ]
        workflow.upsert_search_attributes(attributes)  # pyright: ignore[reportUnknownMemberType]

    # ── bounded history ──

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > _EVENTS_PER_RUN

    async def _bound_history(self) -> None:
        if not self._history_is_long():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        memory = AgentMemory(
            hello=self._hello,
            assigned=self._assigned,
            assigned_version=self._assigned_version,
            mode=self._mode,
            mode_reason=self._mode_reason,
            attend=True,
            shown=self._shown,
        )
        # The memo must be named: else it silently falls back to the one of the first run.
        workflow.continue_as_new(memory, memo={STATE_MEMO: self._shown} if self._shown else {})
