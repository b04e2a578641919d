"""What a trigger's workflow is started with, and what it and its activities say to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from waterflow_sdk.wire import ScheduleSpec, State

TRIGGER_WORKFLOW = "WaterflowTrigger"
"""Workflow type of one time of a schedule; id ``trigger/<schedule>-<time>``."""

PICK_ACTIVITY = "PickVersion"
"""Which version of the definition runs now. ``TriggerOrder`` → ``int``."""

START_ACTIVITY = "StartScheduled"
"""Start the run, once. ``StartOrder`` → ``str``, the id of the run."""

OUTCOME_ACTIVITY = "RunOutcome"
"""How a run ended. ``str`` → ``Outcome``."""

RESULT_MEMO = "result"
"""Memo field of a trigger: its ``ScheduleRun``."""

TRIGGER_KIND = "trigger"
SCHEDULE_KIND = "schedule"


class TriggerStruct(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of these structs. Unknown fields are ignored: histories outlive versions."""


class TriggerOrder(TriggerStruct, frozen=True, kw_only=True):
    """Input of ``WaterflowTrigger``: the schedule as it is when it fires."""

    name: str
    spec: ScheduleSpec


class StartOrder(TriggerStruct, frozen=True, kw_only=True):
    """Start this version of the definition; the same ``key`` starts the same run."""

    schedule: str
    spec: ScheduleSpec
    version: int
    scheduled: datetime
    key: str

    @property
    def event(self) -> dict[str, Any]:
        """What expressions of the run see as ``event``."""
        moment = self.scheduled.isoformat().replace("+00:00", "Z")
        return {
            "name": "schedule",
            "schedule": self.spec.cron,  # as `github.event.schedule` is
            "schedule-name": self.schedule,
            "scheduled-time": moment,
        }


class Outcome(TriggerStruct, frozen=True, kw_only=True):
    """How a run ended."""

    state: State
    reason: str = ""
