"""What a definition must be beyond a right workflow file: named, and able to run without anybody who submits it."""

from __future__ import annotations

import re
from typing import Any

from waterflow_dsl.plan import SchedulePlan
from waterflow_sdk.wire import Overlap, ScheduleSpec

from .._workflow_files import all_secrets
from ..submissions import Examined
from ._cron import check_fires
from ._errors import InvalidDefinition

MAX_SCHEDULES = 20
"""Most entries of ``on: schedule`` in one file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def check_name(name: str) -> None:
    """Raises InvalidDefinition for a name that cannot be part of addresses and ids."""
    if _NAME.fullmatch(name) is None:
        raise InvalidDefinition(
            f"{name[:100]!r} is no name for a definition: it takes 1 to 80 letters, digits, dots, underscores and "
            "dashes, and begins with a letter or digit"
        )


def schedules_of(name: str, examined: Examined) -> list[ScheduleSpec]:
    """What the file's ``on: schedule`` asks for. Raises InvalidDefinition with all that speaks against it."""
    plan = examined.plan
    errors = _errors(examined)
    if errors:
        raise InvalidDefinition("; ".join(each["message"] for each in errors), {"errors": errors})
    return [specified_by(name, each) for each in plan.schedules]


def specified_by(definition: str, plan: SchedulePlan) -> ScheduleSpec:
    """A schedule of a definition, as its file says it."""
    return ScheduleSpec(
        definition=definition,
        cron=plan.cron,
        timezone=plan.timezone,
        overlap=Overlap(plan.overlap),
        # Expressions, which durations may be elsewhere, are not allowed here by the language.
        catch_up=float(plan.catch_up),
        jitter=float(plan.jitter),
    )


def _errors(examined: Examined) -> list[dict[str, Any]]:
    plan = examined.plan
    if not plan.schedules:
        return []
    found = [("secrets", _no_secret(name)) for name in needed_secrets(examined)]
    found += [
        ("inputs", f"input {name!r} is required and has no default: nobody gives it when a schedule starts the run")
        for name, declared in plan.inputs.items()
        if declared.required and declared.default is None
    ]
    if len(plan.schedules) > MAX_SCHEDULES:
        found.append(("on.schedule", f"there are {len(plan.schedules)} schedules; at most {MAX_SCHEDULES} are allowed"))
    for number, each in enumerate(plan.schedules):
        if (problem := check_fires(each.cron)) is not None:
            found.append((f"on.schedule[{number}].cron", problem))
    return [{"path": path, "code": "schedule", "message": message} for path, message in found]


def needed_secrets(examined: Examined) -> list[str]:
    """The secrets that a run of the file has to be given: those that say where they are read are not among them."""
    found = all_secrets(examined.plan, examined.called)
    return [name for name, declared in found.items() if declared.required and declared.source is None]


def _no_secret(name: str) -> str:
    return (
        f"secret {name!r} is required: a run that a schedule starts is given no secrets; say where it is read, such as "
        f"`from: env:{name}`, or declare it `required: false`"
    )
