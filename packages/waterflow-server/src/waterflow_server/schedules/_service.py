"""The service behind ``/v1/schedules``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from temporalio.client import ScheduleBackfill, ScheduleDescription, WorkflowExecution, WorkflowExecutionStatus

from waterflow_sdk.wire import (
    BackfillRequest,
    Overlap,
    ScheduleCreate,
    ScheduleInfo,
    SchedulePut,
    ScheduleRun,
    ScheduleSpec,
    State,
    SubmitRequest,
)

from .._nearest import did_you_mean
from ..definitions import DefinitionStore, needed_secrets
from ..submissions import Examined
from ._checks import check_count, check_name, check_range, specified
from ._errors import InvalidSchedule, ScheduleBusy, ScheduleExists, ScheduleNotFound, ScheduleOfFile
from ._temporal import JUST_BEFORE, OVERLAPS, TemporalSchedules
from ._wire import RESULT_MEMO

MOST_TIMES = 100
"""Most times to come that are told at once."""

_RECENT = 20
_FAR = timedelta(days=366 * 8)  # February 29 may be eight years away

Infos = list[ScheduleInfo]
Times = list[datetime]


class Checker(Protocol):
    """Checks files and what runs get (:class:`waterflow_server.submissions.Submissions`)."""

    async def examine(self, request: SubmitRequest) -> Examined:
        """A file and what it gets, judged; raises InvalidWorkflow where no plan can be made of it."""
        ...


class Schedules:
    """Schedules, those of files and those that people made."""

    def __init__(self, schedules: TemporalSchedules, definitions: DefinitionStore, checker: Checker) -> None:
        self._schedules = schedules
        self._definitions = definitions
        self._checker = checker

    async def list(self) -> Infos:
        """All schedules, by name, without what came of them."""
        return [await self._info(name, found) for name, found in await self._schedules.describe_all()]

    async def get(self, name: str) -> ScheduleInfo:
        """One schedule with what came of its last times. Raises ScheduleNotFound."""
        found = await self._info(name, await self._found(name))
        recent = [await _result(each) async for each in self._schedules.triggers(name, _RECENT)]
        return msgspec.structs.replace(found, recent=sorted(recent, key=lambda each: each.scheduled, reverse=True))

    async def create(self, given: ScheduleCreate) -> ScheduleInfo:
        """A new schedule. Raises InvalidSchedule, ScheduleExists and DefinitionNotFound."""
        check_name(given.name)
        if not await self._schedules.create(given.name, await self._spec(given)):
            raise ScheduleExists(f"there is a schedule {given.name!r} already", {"name": given.name})
        return await self.get(given.name)

    async def put(self, name: str, given: SchedulePut) -> ScheduleInfo:
        """Replace a schedule, or make it. Raises InvalidSchedule, ScheduleOfFile and DefinitionNotFound."""
        _refuse_of_file(name)
        check_name(name)
        spec = await self._spec(given)
        if not await self._schedules.change(name, spec) and not await self._schedules.create(name, spec):
            await self._schedules.change(name, spec)
        return await self.get(name)

    async def delete(self, name: str) -> None:
        """Remove a schedule; its runs go on. Raises ScheduleNotFound and ScheduleOfFile."""
        _refuse_of_file(name)
        if not await self._schedules.delete(name):
            raise await self._missing(name)

    async def pause(self, name: str, reason: str) -> None:
        """Start nothing until it is unpaused. Raises ScheduleNotFound."""
        await self._found(name)
        await self._schedules.handle(name).pause(note=reason or "paused")

    async def unpause(self, name: str, reason: str) -> None:
        """Go on. Raises ScheduleNotFound."""
        await self._found(name)
        await self._schedules.handle(name).unpause(note=reason or "unpaused")

    async def trigger(self, name: str, overlap: Overlap | None) -> None:
        """Run now, paused or not. Raises ScheduleNotFound, and ScheduleBusy where nothing would start."""
        found = await self._found(name)
        effective = overlap or (await self._schedules.order(found)).spec.overlap
        if effective is Overlap.SKIP and found.info.running_actions:
            raise ScheduleBusy(
                f"the last run of schedule {name!r} still runs, and its overlap is skip; wait, or say another overlap"
            )
        await self._schedules.handle(name).trigger(overlap=OVERLAPS[effective])

    async def backfill(self, name: str, given: BackfillRequest) -> Times:
        """Run for times that have been; gives these. Raises ScheduleNotFound and InvalidBackfill."""
        await self._found(name)
        check_range(given.start, given.end)
        times = await self._schedules.times(name, given.start, given.end)
        check_count(times)
        await self._schedules.handle(name).backfill(
            ScheduleBackfill(given.start - JUST_BEFORE, given.end, OVERLAPS[given.overlap])
        )
        return times

    async def next(self, name: str, limit: int) -> Times:
        """The next times, whether it is paused or not. Raises ScheduleNotFound."""
        found = await self._found(name)
        if limit <= len(found.info.next_action_times):
            return list(found.info.next_action_times[:limit])
        now = datetime.now(UTC)
        return (await self._schedules.times(name, now, now + _FAR))[:limit]

    async def _info(self, name: str, found: ScheduleDescription) -> ScheduleInfo:
        state = found.schedule.state
        return ScheduleInfo(
            name=name,
            spec=(await self._schedules.order(found)).spec,
            from_file=_of_file(name),
            paused=state.paused,
            reason=(state.note or "") if state.paused else "",
            next=list(found.info.next_action_times),
            started=found.info.num_actions,
            missed=found.info.num_actions_missed_catchup_window,
            skipped=found.info.num_actions_skipped_overlap,
        )

    async def _spec(self, given: SchedulePut) -> ScheduleSpec:
        spec = specified(given)
        stored = (await self._definitions.get(spec.definition)).value
        text = await self._definitions.text(spec.definition, stored.current.version)
        request = SubmitRequest(
            yaml=text.yaml,
            filename=text.filename,
            files=text.files,
            vars=spec.vars,
            inputs=spec.inputs,
            labels=spec.labels,
            run_at=datetime.now(UTC) + timedelta(days=1),  # agents that are away now do not matter
        )
        examined = await self._checker.examine(request)
        if needed := needed_secrets(examined):
            raise InvalidSchedule(
                f"definition {spec.definition!r} requires secret {needed[0]!r}: a run that a schedule starts is given "
                "no secrets; say in the file where it is read, with `from`"
            )
        examined.refuse(text.filename)
        return spec

    async def _found(self, name: str) -> ScheduleDescription:
        found = await self._schedules.describe(name)
        if found is None:
            raise await self._missing(name)
        return found

    async def _missing(self, name: str) -> ScheduleNotFound:
        near = did_you_mean(name, await self._schedules.names())
        return ScheduleNotFound(f"there is no schedule {name[:100]!r}{near}", {"name": name})


async def _result(execution: WorkflowExecution) -> ScheduleRun:
    memo = await execution.memo()
    if RESULT_MEMO in memo:
        shown = msgspec.convert(memo[RESULT_MEMO], ScheduleRun)
    else:  # no server has taken it up yet
        shown = ScheduleRun(scheduled=execution.start_time, state=State.QUEUED, started=execution.start_time)
    open_ = execution.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)
    if open_ or shown.state.ended:
        return shown
    reason = "its workflow was ended through Temporal"
    return msgspec.structs.replace(shown, state=State.CANCELLED, reason=reason, ended=execution.close_time)


def _of_file(name: str) -> bool:
    return ":" in name


def _refuse_of_file(name: str) -> None:
    if _of_file(name):
        owner = name.partition(":")[0]
        raise ScheduleOfFile(
            f"schedule {name!r} is in the file of definition {owner!r}; change it there and apply the file, disable "
            "the definition, or pause the schedule"
        )
