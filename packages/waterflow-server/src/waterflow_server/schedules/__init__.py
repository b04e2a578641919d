"""Schedules on Temporal: those that stored workflows ask for, and those that people make."""

from ._activities import schedule_activities
from ._checks import MAX_BACKFILL
from ._errors import (
    InvalidBackfill,
    InvalidSchedule,
    ScheduleBusy,
    ScheduleExists,
    ScheduleNotFound,
    ScheduleOfFile,
)
from ._file import FileSchedules
from ._service import MOST_TIMES, Schedules
from ._temporal import TemporalSchedules
from ._wire import TRIGGER_WORKFLOW
from ._workflow import WaterflowTrigger

__all__ = [
    "MAX_BACKFILL",
    "MOST_TIMES",
    "TRIGGER_WORKFLOW",
    "FileSchedules",
    "InvalidBackfill",
    "InvalidSchedule",
    "ScheduleBusy",
    "ScheduleExists",
    "ScheduleNotFound",
    "ScheduleOfFile",
    "Schedules",
    "TemporalSchedules",
    "WaterflowTrigger",
    "schedule_activities",
]
