"""Moments on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click


class Moment(click.ParamType[datetime]):
    """ISO 8601, such as ``2026-11-21T02:00`` (local time), ``…T02:00Z`` or ``…T02:00+08:00``; or ``now``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, with its time zone."""
        if isinstance(value, datetime):
            return value
        try:
            return (datetime.now() if value == "now" else datetime.fromisoformat(value)).astimezone()
        except (ValueError, OverflowError):
            hint = "write it as 2026-11-21T02:00, with Z or +08:00 at its end where it is not local time"
            self.fail(f"{value!r} is no time; {hint}", param, ctx)


MOMENT = Moment()
