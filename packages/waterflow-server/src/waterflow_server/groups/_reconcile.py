"""Brings every agent into the groups that it is in. What a server has begun and cannot finish, another one does."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

RECONCILE_WORKFLOW = "WaterflowGroups"
"""Workflow type; there is one at a time, which ends when there is nothing more to do."""

RECONCILE_ID = "groups/reconcile"

ASSIGN_GROUPS_ACTIVITY = "AssignGroups"
"""On the orchestrator queue: assign every agent the groups it is in. → ``int``, the version of the groups."""

CHANGED_SIGNAL = "changed"
SETTLE_UPDATE = "settle"

_SECOND_LOOK = timedelta(seconds=5)
"""Lists of agents lag, an agent may just be saying hello, and a server may end between announcing a change and making
it: all of these are found by looking once more, a little later."""

_LOST_WITHIN = timedelta(seconds=15)
_LONGEST = timedelta(minutes=10)
_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5))
_EVENTS_PER_RUN = 2000


@workflow.defn(name=RECONCILE_WORKFLOW)
class GroupsWorkflow:
    """Looks after every change, and once more; then it ends."""

    @workflow.init
    def __init__(self) -> None:
        self._asked = 1
        self._settled = -1

    @workflow.run
    async def run(self) -> None:
        """Until nobody has asked since the last look."""
        while True:
            await self._look()
            if not await self._asked_again() and await self._look():
                break
            if workflow.info().get_current_history_length() > _EVENTS_PER_RUN:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.signal(name=CHANGED_SIGNAL)
    def changed(self) -> None:
        """Groups change now, or will in a moment."""
        self._asked += 1

    @workflow.update(name=SETTLE_UPDATE)
    async def settle(self, version: int) -> None:
        """Returns when every agent has been told of this version of the groups."""
        self._asked += 1
        await workflow.wait_condition(lambda: self._settled >= version)

    async def _asked_again(self) -> bool:
        """Whether somebody asks within the time after which there is a second look."""
        asked = self._asked
        try:
            await workflow.wait_condition(lambda: self._asked > asked, timeout=_SECOND_LOOK)
        except TimeoutError:
            return False
        return True

    async def _look(self) -> bool:
        """Looks until nobody asks meanwhile. Answers whether the first look was enough."""
        looks = 0
        asked = -1
        while asked != self._asked:
            asked = self._asked
            looks += 1
            self._settled = await workflow.execute_activity(
                ASSIGN_GROUPS_ACTIVITY,
                result_type=int,
                start_to_close_timeout=_LONGEST,
                heartbeat_timeout=_LOST_WITHIN,
                retry_policy=_RETRY,
            )
        return looks == 1
