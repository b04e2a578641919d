"""``WaterflowTrigger``: one time of a schedule. It lasts as long as its run, so that overlap policies hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

from waterflow_sdk.wire import ScheduleRun, State, run_workflow_id

from .._search_attributes import STATE
from ..concurrency._watch import Watch
from ..engine._wire import CANCEL_SIGNAL, CancelOrder
from ._wire import (
    OUTCOME_ACTIVITY,
    PICK_ACTIVITY,
    RESULT_MEMO,
    START_ACTIVITY,
    TRIGGER_WORKFLOW,
    Outcome,
    StartOrder,
    TriggerOrder,
)

SCHEDULED_TIME = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Set by Temporal on what a schedule starts: its time, which may be long before the start."""

_TIMEOUT = timedelta(seconds=30)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=TRIGGER_WORKFLOW)
class WaterflowTrigger:
    """Starts the run and waits for its end. Its memo says what came of it; a run that could not start is a result."""

    @workflow.init
    def __init__(self, order: TriggerOrder) -> None:
        info = workflow.info()
        scheduled = info.typed_search_attributes.get(SCHEDULED_TIME) or info.start_time
        self._order = order
        self._shown = ScheduleRun(scheduled=scheduled, state=State.RUNNING, started=info.start_time)
        self._stopped = False

    @workflow.run
    async def run(self, order: TriggerOrder) -> ScheduleRun:
        """To the end of the run, whatever it is."""
        del order
        body = asyncio.create_task(self._body())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                self._stopped = True
                await self._stop_run()
        body.result()
        return self._shown

    async def _body(self) -> None:
        try:
            run = await self._start()
        except ActivityError as error:
            cause = error.cause
            reason = cause.message if isinstance(cause, ApplicationError) else str(cause)
            self._show(state=State.FAILED, ended=workflow.now(), reason=reason)
            return
        self._show(run=run)
        if self._stopped:
            await self._stop_run()
        watch = Watch()
        watch.follow(run_workflow_id(run))
        await workflow.wait_condition(lambda: watch.ended)
        outcome: Outcome = await self._ask(OUTCOME_ACTIVITY, run, Outcome)
        self._show(state=outcome.state, ended=workflow.now(), reason=outcome.reason)

    async def _start(self) -> str:
        order = self._order
        version = await self._ask(PICK_ACTIVITY, order, int)
        self._show(version=version)
        start = StartOrder(
            schedule=order.name,
            spec=order.spec,
            version=version,
            scheduled=self._shown.scheduled,
            key=workflow.info().workflow_id,
        )
        return await self._ask(START_ACTIVITY, start, str)

    async def _ask(self, activity: str, argument: Any, result: type[Any]) -> Any:
        return await workflow.execute_activity(
            activity, argument, result_type=result, start_to_close_timeout=_TIMEOUT, retry_policy=_RETRY
        )

    async def _stop_run(self) -> None:
        if self._shown.run is None:
            return
        order = CancelOrder(reason=f"schedule {self._order.name}: the run was cancelled for its next one")
        handle: Any = workflow.get_external_workflow_handle(run_workflow_id(self._shown.run))
        try:
            await handle.signal(CANCEL_SIGNAL, order)
        except ApplicationError:
            workflow.logger.debug("run %s has just ended", self._shown.run)

    def _show(self, **changes: Any) -> None:
        self._shown = msgspec.structs.replace(self._shown, **changes)
        workflow.upsert_memo({RESULT_MEMO: self._shown})
        attributes = [STATE.value_set(self._shown.state.value)]
        workflow.upsert_search_attributes(attributes)  # pyright: ignore[reportUnknownMemberType] - of temporalio
