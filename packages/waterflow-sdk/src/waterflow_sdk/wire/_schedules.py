"""Bodies of ``/v1/schedules``: when stored workflows run by themselves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from ._base import Wire
from ._state import State


class Overlap(StrEnum):
    """What happens at a time of a schedule while its last run still runs."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL = "cancel"
    ALLOW = "allow"


class SchedulePut(Wire, frozen=True, kw_only=True):
    """``PUT /v1/schedules/{name}``: run a stored workflow at times.

    ``cron`` has five fields (or is ``@daily`` and the like) and is read in ``timezone`` (IANA). ``catch_up`` is how
    late a time that was missed, while Temporal was away, may still start: a duration such as ``10m``; Temporal's least
    is 10 s. ``jitter`` delays each start by a random time up to it.
    """

    definition: str
    cron: str
    timezone: str = "UTC"
    overlap: str = "skip"
    catch_up: str | float = 0
    jitter: str | float = 0
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    labels: list[str] = []


class ScheduleCreate(SchedulePut, frozen=True, kw_only=True):
    """``POST /v1/schedules``: the same, with the name of the new schedule."""

    name: str


class ScheduleSpec(Wire, frozen=True, kw_only=True):
    """What a schedule does and when; durations in seconds."""

    definition: str
    cron: str
    timezone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up: float = 0.0
    jitter: float = 0.0
    vars: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    labels: list[str] = []


class ScheduleRun(Wire, frozen=True, kw_only=True):
    """What came of one time of a schedule: the run, or why there is none."""

    scheduled: datetime
    state: State
    started: datetime | None = None
    ended: datetime | None = None
    run: str | None = None
    version: int | None = None
    reason: str = ""


class ScheduleInfo(Wire, frozen=True, kw_only=True):
    """A schedule. ``from_file``: a definition's own, changed by changing the definition.

    ``next`` are up to ten times to come; ``recent`` the last runs, newest first (not in lists). ``missed`` counts times
    that came later than ``catch_up`` allows, ``skipped`` those at which the last run still ran.
    """

    name: str
    spec: ScheduleSpec
    from_file: bool = False
    paused: bool = False
    reason: str = ""
    next: list[datetime] = []
    recent: list[ScheduleRun] = []
    started: int = 0
    missed: int = 0
    skipped: int = 0


class TriggerRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/schedules/{name}/trigger``: now; ``overlap`` None = as the schedule says."""

    overlap: Overlap | None = None


class BackfillRequest(Wire, frozen=True, kw_only=True):
    """``POST /v1/schedules/{name}/backfill``: as if the times from ``start`` to ``end`` came now, one by one."""

    start: datetime
    end: datetime
    overlap: Overlap = Overlap.QUEUE


class BackfillResponse(Wire, frozen=True, kw_only=True):
    """202: the times that are made up for."""

    times: list[datetime]
