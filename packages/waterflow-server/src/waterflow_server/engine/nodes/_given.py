"""What a control node works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from temporalio import workflow

from waterflow_dsl import parse_duration
from waterflow_sdk.wire import State

from .._values import StepFailure
from .._wire import JobInput
from ..memory._records import StepRecord
from ..memory._rollover import RollOver
from ..signals._inbox import Inbox
from ..signals._stop import Stop


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a control node works with: its inputs, its step's record, and what the job shares."""

    given: JobInput
    inputs: Mapping[str, Any]
    record: StepRecord
    stop: Stop
    roll: RollOver
    inbox: Inbox
    set_vars: Callable[[Mapping[str, Any]], None]
    tell: Callable[[State, str], Awaitable[None]]

    def seconds(self, name: str, default: float | None = None) -> float | None:
        """A duration among the inputs; raises StepFailure for one that is not."""
        given = self.inputs.get(name)
        if given is None:
            return default
        try:
            return parse_duration(given)
        except ValueError as error:
            raise StepFailure("invalid-input", f"with.{name}: {error}") from error

    @property
    def started(self) -> datetime:
        """When the step began: all its times count from there, over roll-overs."""
        return self.record.started or workflow.now()

    def left(self, seconds: float) -> float:
        """What is left of a time that began with the step."""
        return max(seconds - (workflow.now() - self.started).total_seconds(), 0.0)

    async def sleep(self, seconds: float) -> bool:
        """A durable timer; false when a stop cut it short."""
        with self.roll.resting():
            return await self.stop.sleep(self.left(seconds))

    async def until(self, condition: Callable[[], bool], seconds: float | None, waiting_for: str) -> bool:
        """Wait, shown as ``waiting``; false when the time is over or the run was stopped."""
        timeout = None if seconds is None else self.left(seconds)
        seen = self.stop.requests
        self.record.wait(workflow.now(), waiting_for)
        await self.tell(State.WAITING, waiting_for)
        if self.stop.requests != seen and not workflow.patched("2026-11-stop-while-telling"):
            seen = self.stop.requests
        try:
            with self.roll.resting():
                await workflow.wait_condition(lambda: condition() or self.stop.requests != seen, timeout=timeout)
        except TimeoutError:
            return False
        finally:
            self.record.go_on(workflow.now())
            await self.tell(State.RUNNING, "")
        return condition()
