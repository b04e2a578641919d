"""What can go wrong with a schedule that is named."""

from __future__ import annotations

from .._errors import ServerError


class ScheduleNotFound(ServerError):
    """There is no schedule of that name."""

    code = "schedule-not-found"


class ScheduleExists(ServerError):
    """There is a schedule of that name already."""

    code = "schedule-exists"


class ScheduleOfFile(ServerError):
    """The schedule belongs to a definition's file and is changed there."""

    code = "schedule-of-file"


class ScheduleBusy(ServerError):
    """Its last run still runs, and its overlap is ``skip``: nothing would start."""

    code = "schedule-busy"


class InvalidSchedule(ServerError):
    """The schedule cannot be; ``details["errors"]`` say where."""

    code = "invalid-schedule"


class InvalidBackfill(ServerError):
    """The range of a backfill is none, or too large."""

    code = "invalid-backfill"
