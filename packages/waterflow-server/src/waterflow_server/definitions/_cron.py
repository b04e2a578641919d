"""Cron expressions as Temporal takes them. Their form has been judged by the language."""

from __future__ import annotations

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
_DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK = 2, 3, 4


def check_fires(cron: str) -> str | None:
    """Why an expression never fires, such as on February 30; None when it does."""
    fields = cron.split()
    if len(fields) != 5 or fields[_DAY_OF_WEEK] != "*":
        return None
    days = _values(fields[_DAY_OF_MONTH], 1, 31, {})
    months = _values(fields[_MONTH], 1, 12, _MONTHS)
    if any(min(days) <= _LONGEST[month] for month in months):
        return None
    return f"`{cron}` never fires: no month that it names has a day {min(days)}"


def cron_lines(cron: str) -> list[str]:
    """The expressions that fire when ``cron`` does. Where both day of month and day of week are given, either is enough
    (POSIX crontab, and so GitHub); Temporal wants both, so that it gets two expressions.
    """
    fields = cron.split()
    if len(fields) != 5:
        return [cron]
    fields[_DAY_OF_WEEK] = _without_seven(fields[_DAY_OF_WEEK])
    if fields[_DAY_OF_MONTH].startswith("*") or fields[_DAY_OF_WEEK].startswith("*"):
        return [" ".join(fields)]
    by_date, by_day = list(fields), list(fields)
    by_date[_DAY_OF_WEEK] = by_day[_DAY_OF_MONTH] = "*"
    return [" ".join(by_date), " ".join(by_day)]


def _without_seven(field: str) -> str:
    """Sunday is 0 for Temporal; people also write 7, and `5-7`."""
    return ",".join(_sunday(part) if "7" in part.partition("/")[0] else part for part in field.split(","))


def _sunday(part: str) -> str:
    days = _values(part, 0, 7, {})
    return ",".join(str(day) for day in sorted({day % 7 for day in days}))


def _values(field: str, low: int, high: int, words: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = low if first == "*" else _number(first, words)
        # `5/10` goes on to the end, as it does for Vixie's cron and for Temporal.
        end = _number(last, words) if last else high if first == "*" or step else start
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _number(text: str, words: dict[str, int]) -> int:
    return words[text.lower()] if text.lower() in words else int(text)
