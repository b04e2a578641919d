"""Cron expressions: five fields, as Temporal's schedules and GitHub read them."""

from __future__ import annotations

import re

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_SHORTHANDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d{1,4}))?", re.ASCII)


def cron_problem(text: str, *, github: bool = False) -> str | None:
    """What is wrong with a cron expression, in one sentence; None when nothing is.

    ``github``: no shorthands, and Sunday is 0 only.
    """
    if not github and text.strip().lower() in _SHORTHANDS:
        return None
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"a cron expression has 5 fields, not {len(fields)}: minute, hour, day of month, month, day of week"
    for value, (name, low, most, words) in zip(fields, _FIELDS, strict=True):
        high = 6 if github and most == 7 else most
        for part in value.split(","):
            if not _part_fits(part, low, high, words):
                return f"`{part[:20]}` is not possible as {name} ({low}–{high})"
    return None


def _part_fits(part: str, low: int, high: int, words: dict[str, int]) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    first, last, step = found.groups()
    if step is not None and not 0 < int(step) <= max(high, 1):
        return False
    if first == "*":
        return last is None
    start = _number(first, words)
    end = start if last is None else _number(last, words)
    return start is not None and end is not None and low <= start <= end <= high


def _number(text: str, words: dict[str, int]) -> int | None:
    return int(text) if text.isdigit() else words.get(text.lower())
