"""What people ask of a schedule, judged by the language: a file with nothing but this schedule is checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from waterflow_dsl import check
from waterflow_sdk.wire import SchedulePut, ScheduleSpec

from ..definitions import check_fires, specified_by
from ._errors import InvalidBackfill, InvalidSchedule

MAX_BACKFILL = 100
"""Most times of one backfill: each is a run."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def check_name(name: str) -> None:
    """Raises InvalidSchedule for a name that cannot be part of addresses and ids."""
    if _NAME.fullmatch(name) is None:
        raise InvalidSchedule(
            f"{name[:100]!r} is no name for a schedule: it takes 1 to 80 letters, digits, dots, underscores and dashes "
            "and begins with a letter or digit"
        )


def specified(given: SchedulePut) -> ScheduleSpec:
    """What was asked for, with durations in seconds. Raises InvalidSchedule with all that is wrong."""
    asked = {
        "cron": given.cron,
        "timezone": given.timezone,
        "overlap": given.overlap,
        "catch-up": given.catch_up,
        "jitter": given.jitter,
    }
    file = {"name": "schedule", "on": {"schedule": [asked]}, "jobs": {"run": {"steps": [{"run": "true"}]}}}
    result = check(msgspec.json.encode(file), filename="schedule")  # JSON is YAML, whatever is in the values
    errors = [_error(each.path, each.message, each.hint) for each in result.diagnostics if each.severity == "error"]
    if result.plan is None:
        raise _invalid(errors)
    (plan,) = result.plan.schedules
    if (problem := check_fires(plan.cron)) is not None:
        raise _invalid([{"path": "cron", "code": "schedule", "message": problem}])
    spec = specified_by(given.definition, plan)
    return msgspec.structs.replace(spec, vars=given.vars, inputs=given.inputs, labels=given.labels)


def check_range(start: datetime, end: datetime) -> None:
    """Raises InvalidBackfill for what is no range of times that have been."""
    if start.tzinfo is None or end.tzinfo is None:
        raise InvalidBackfill("start and end need a time zone, such as Z")
    if start >= end:
        raise InvalidBackfill(f"the start, {start.isoformat()}, is not before the end, {end.isoformat()}")
    if end > datetime.now(UTC) + timedelta(minutes=1):
        raise InvalidBackfill(f"the end, {end.isoformat()}, is to come: a backfill is for times that have been")


def check_count(times: list[datetime]) -> None:
    """Raises InvalidBackfill for a range without any time of the schedule, or with too many."""
    if not times:
        raise InvalidBackfill("the schedule has no time between start and end")
    if len(times) > MAX_BACKFILL:
        many = "1000 or more" if len(times) >= 1000 else str(len(times))
        raise InvalidBackfill(
            f"the schedule has {many} times between start and end, and each would be a run; at most {MAX_BACKFILL} are "
            "made up for at once"
        )


def _error(path: str, message: str, hint: str | None) -> dict[str, Any]:
    field = path.removeprefix("on.schedule[0]").removeprefix(".") or "cron"
    text = f"{message}; {hint}" if hint else message
    return {"path": field.replace("-", "_"), "code": "schedule", "message": f"{field.replace('-', '_')}: {text}"}


def _invalid(errors: list[dict[str, Any]]) -> InvalidSchedule:
    return InvalidSchedule("; ".join(each["message"] for each in errors), {"errors": errors})
