"""Schedules, as the client sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..wire import (
    BackfillRequest,
    BackfillResponse,
    Overlap,
    PauseRequest,
    ScheduleCreate,
    ScheduleInfo,
    SchedulePut,
    TriggerRequest,
    Wire,
)
from ._errors import NotFound
from ._portal import Portal
from ._transport import Transport, segment

Infos = list[ScheduleInfo]
Times = list[datetime]


class Schedules:
    """``client.schedules``. Methods that name a schedule raise :class:`NotFound` where there is none."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        name: str,
        definition: str,
        cron: str,
        *,
        timezone: str = "UTC",
        overlap: str = "skip",
        catch_up: str | float = 0,
        jitter: str | float = 0,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        labels: Sequence[str] = (),
    ) -> ScheduleInfo:
        """Run the stored workflow ``definition`` at the times of ``cron`` in ``timezone``.

        ``overlap`` (skip, queue, cancel, allow): what happens while the last run still runs. ``catch_up``: how late a
        missed time may start. ``jitter``: the longest random delay. Durations are seconds or texts such as ``10m``.
        Raises :class:`InvalidRequest`, :class:`NotFound` for the definition, and :class:`Conflict` for the name.
        """
        body = ScheduleCreate(
            name=name,
            definition=definition,
            cron=cron,
            timezone=timezone,
            overlap=overlap,
            catch_up=catch_up,
            jitter=jitter,
            vars=dict(vars or {}),
            inputs=dict(inputs or {}),
            labels=list(labels),
        )
        path = "/v1/schedules"
        return await self._transport.call("POST", path, ScheduleInfo, body=body, missing=NotFound, safe=False)

    async def put(self, name: str, given: SchedulePut) -> ScheduleInfo:
        """Replace a schedule, or make it; whether it is paused stays. Raises as :meth:`create`."""
        return await self._transport.call("PUT", _path(name), ScheduleInfo, body=given, missing=NotFound)

    async def list(self) -> Infos:
        """All schedules, by name, without their last runs."""
        return await self._transport.call("GET", "/v1/schedules", Infos)

    async def get(self, name: str) -> ScheduleInfo:
        """One schedule: its next times, and what came of its last ones."""
        return await self._transport.call("GET", _path(name), ScheduleInfo, missing=NotFound)

    async def delete(self, name: str) -> None:
        """Remove it; its runs go on. Raises :class:`Conflict` for one that is in a definition's file."""
        await self._transport.send("DELETE", _path(name), missing=NotFound)

    async def pause(self, name: str, reason: str = "") -> None:
        """Start nothing until it is unpaused."""
        await self._tell(name, "pause", PauseRequest(reason=reason))

    async def unpause(self, name: str, reason: str = "") -> None:
        """Go on after a pause."""
        await self._tell(name, "unpause", PauseRequest(reason=reason))

    async def trigger(self, name: str, overlap: Overlap | None = None) -> None:
        """Run now, paused or not. Raises :class:`Conflict` where its last run still runs and its overlap is skip."""
        await self._tell(name, "trigger", TriggerRequest(overlap=overlap))

    async def backfill(self, name: str, start: datetime, end: datetime, overlap: Overlap = Overlap.QUEUE) -> Times:
        """Run for the times from ``start`` to ``end``; gives these. Raises :class:`InvalidRequest` for too many."""
        body = BackfillRequest(start=start, end=end, overlap=overlap)
        path = f"{_path(name)}/backfill"
        answer = await self._transport.call("POST", path, BackfillResponse, body=body, missing=NotFound, safe=False)
        return answer.times

    async def next(self, name: str, limit: int = 10) -> Times:
        """The next times, as if it were not paused."""
        return await self._transport.call("GET", f"{_path(name)}/next", Times, query={"limit": limit}, missing=NotFound)

    async def _tell(self, name: str, what: str, body: Wire) -> None:
        await self._transport.send("POST", f"{_path(name)}/{what}", body=body, missing=NotFound)


class SyncSchedules:
    """``client.schedules`` without asyncio; see :class:`Schedules`."""

    def __init__(self, portal: Portal, schedules: Schedules) -> None:
        self._portal = portal
        self._schedules = schedules

    def create(
        self,
        name: str,
        definition: str,
        cron: str,
        *,
        timezone: str = "UTC",
        overlap: str = "skip",
        catch_up: str | float = 0,
        jitter: str | float = 0,
        vars: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        labels: Sequence[str] = (),
    ) -> ScheduleInfo:
        """See :meth:`Schedules.create`."""
        work = self._schedules.create(
            name,
            definition,
            cron,
            timezone=timezone,
            overlap=overlap,
            catch_up=catch_up,
            jitter=jitter,
            vars=vars,
            inputs=inputs,
            labels=labels,
        )
        return self._portal.call(work)

    def put(self, name: str, given: SchedulePut) -> ScheduleInfo:
        """See :meth:`Schedules.put`."""
        return self._portal.call(self._schedules.put(name, given))

    def list(self) -> Infos:
        """See :meth:`Schedules.list`."""
        return self._portal.call(self._schedules.list())

    def get(self, name: str) -> ScheduleInfo:
        """See :meth:`Schedules.get`."""
        return self._portal.call(self._schedules.get(name))

    def delete(self, name: str) -> None:
        """See :meth:`Schedules.delete`."""
        self._portal.call(self._schedules.delete(name))

    def pause(self, name: str, reason: str = "") -> None:
        """See :meth:`Schedules.pause`."""
        self._portal.call(self._schedules.pause(name, reason))

    def unpause(self, name: str, reason: str = "") -> None:
        """See :meth:`Schedules.unpause`."""
        self._portal.call(self._schedules.unpause(name, reason))

    def trigger(self, name: str, overlap: Overlap | None = None) -> None:
        """See :meth:`Schedules.trigger`."""
        self._portal.call(self._schedules.trigger(name, overlap))

    def backfill(self, name: str, start: datetime, end: datetime, overlap: Overlap = Overlap.QUEUE) -> Times:
        """See :meth:`Schedules.backfill`."""
        return self._portal.call(self._schedules.backfill(name, start, end, overlap))

    def next(self, name: str, limit: int = 10) -> Times:
        """See :meth:`Schedules.next`."""
        return self._portal.call(self._schedules.next(name, limit))


def _path(name: str) -> str:
    return f"/v1/schedules/{segment(name)}"
