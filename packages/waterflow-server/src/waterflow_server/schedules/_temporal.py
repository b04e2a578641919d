"""Schedules as Temporal keeps them: made, changed, read and listed. What one does is wholly in its action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.client import ScheduleSpec as TemporalSpec
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from waterflow_sdk.wire import ORCHESTRATOR_QUEUE, Overlap, ScheduleSpec

from .._search_attributes import KIND, NAME
from ..definitions import cron_lines
from ._wire import SCHEDULE_KIND, TRIGGER_KIND, TRIGGER_WORKFLOW, TriggerOrder

PREFIX = "schedule/"
"""Of the ids of all our schedules: other programs may have some in the namespace too."""

OVERLAPS = {
    Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    Overlap.QUEUE: ScheduleOverlapPolicy.BUFFER_ALL,
    Overlap.CANCEL: ScheduleOverlapPolicy.CANCEL_OTHER,
    Overlap.ALLOW: ScheduleOverlapPolicy.ALLOW_ALL,
}

LEAST_CATCH_UP = 10.0
"""Seconds; Temporal takes no less."""

JUST_BEFORE = timedelta(milliseconds=1)
"""Temporal leaves the start of a range out."""

_READS_AT_ONCE = 10


class TemporalSchedules:
    """The schedules of one Temporal namespace, by name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def handle(self, name: str) -> ScheduleHandle:
        """The schedule, which need not be there."""
        return self._client.get_schedule_handle(PREFIX + name)

    async def create(self, name: str, spec: ScheduleSpec) -> bool:
        """A new schedule; False when there is one of that name."""
        try:
            await self._client.create_schedule(
                PREFIX + name,
                _schedule(name, spec),
                search_attributes=_found_by(spec),
            )
        except ScheduleAlreadyRunningError:
            return False
        return True

    async def change(self, name: str, spec: ScheduleSpec) -> bool:
        """Replace what a schedule does; whether it is paused stays. False when there is none."""

        def replaced(found: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule = _schedule(name, spec)
            schedule.state = found.description.schedule.state
            return ScheduleUpdate(schedule, _found_by(spec))

        return await _there(self.handle(name).update(replaced))

    async def delete(self, name: str) -> bool:
        """Remove a schedule; what it started goes on. False when there is none."""
        return await _there(self.handle(name).delete())

    async def describe(self, name: str) -> ScheduleDescription | None:
        """One schedule, or None."""
        try:
            return await self.handle(name).describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                return None
            raise

    async def names(self, definition: str | None = None) -> list[str]:
        """The names of all schedules, or of those for a definition; a change shows up a moment later."""
        query = f"{KIND.name} = '{SCHEDULE_KIND}'" + (f" AND {NAME.name} = '{definition}'" if definition else "")
        found = await self._client.list_schedules(query, page_size=1000)
        return sorted([each.id.removeprefix(PREFIX) async for each in found])

    async def describe_all(self) -> list[tuple[str, ScheduleDescription]]:
        """All schedules, by name."""
        gate = asyncio.Semaphore(_READS_AT_ONCE)

        async def read(name: str) -> tuple[str, ScheduleDescription | None]:
            async with gate:
                return name, await self.describe(name)

        found = await asyncio.gather(*(read(name) for name in await self.names()))
        return [(name, each) for name, each in found if each is not None]

    async def order(self, description: ScheduleDescription) -> TriggerOrder:
        """What the schedule starts."""
        action = description.schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)
        payloads: Sequence[Any] = action.args
        return (await self._client.data_converter.decode(payloads, [TriggerOrder]))[0]

    async def times(self, name: str, start: datetime, end: datetime) -> list[datetime]:
        """The times from ``start`` to ``end``, both included; the first thousand of them."""
        request = ListScheduleMatchingTimesRequest(namespace=self._client.namespace, schedule_id=PREFIX + name)
        request.start_time.CopyFrom(_stamp(start - JUST_BEFORE))
        request.end_time.CopyFrom(_stamp(end))
        answer = await self._client.workflow_service.list_schedule_matching_times(request)
        return [each.ToDatetime(UTC) for each in answer.start_time]

    async def triggers(self, name: str, limit: int) -> AsyncIterator[Any]:
        """The last triggers of a schedule, newest first."""
        query = f"{KIND.name} = '{TRIGGER_KIND}' AND {NAME.name} = '{name}'"
        async for each in self._client.list_workflows(query, page_size=limit, limit=limit):
            yield each


def _schedule(name: str, spec: ScheduleSpec) -> Schedule:
    action = ScheduleActionStartWorkflow(
        TRIGGER_WORKFLOW,
        TriggerOrder(name=name, spec=spec),
        id=f"trigger/{name}",
        task_queue=ORCHESTRATOR_QUEUE,
        typed_search_attributes=TypedSearchAttributes(
            [SearchAttributePair(KIND, TRIGGER_KIND), SearchAttributePair(NAME, name)]
        ),
        static_summary=spec.definition,
    )
    times = TemporalSpec(
        cron_expressions=cron_lines(spec.cron),
        time_zone_name=spec.timezone,
        jitter=timedelta(seconds=spec.jitter) if spec.jitter else None,
    )
    policy = SchedulePolicy(
        overlap=OVERLAPS[spec.overlap], catchup_window=timedelta(seconds=max(spec.catch_up, LEAST_CATCH_UP))
    )
    return Schedule(action=action, spec=times, policy=policy)


def _found_by(spec: ScheduleSpec) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(KIND, SCHEDULE_KIND), SearchAttributePair(NAME, spec.definition)])


async def _there(call: Any) -> bool:
    try:
        await call
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp
