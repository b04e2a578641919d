"""Durations: ``500ms 30s 10m 2h 1d 1h30m`` or a number of seconds."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(r"(?:\d{1,15}(?:\.\d{1,9})?(?:ms|s|m|h|d))+", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)

MAX_SECONDS = 10 * 365 * 86400.0
"""Ten years; Temporal's timers end there as well."""


def parse_duration(value: object) -> float:
    """The seconds of a duration.

    Args:
        value: ``"1h30m"``, ``"500ms"``, or a number of seconds. Units in descending order are not asked for. It may be
            anything: what an expression gives is known only at the run.

    Raises:
        ValueError: not a duration, negative, or longer than ten years; the message says which.
    """
    seconds = _seconds(value)
    if seconds > MAX_SECONDS:
        raise ValueError(f"{_shown(value)} is longer than ten years")
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not value >= 0:
            raise ValueError(f"{value} is not a duration: it must not be negative")
        return float(min(value, 2 * MAX_SECONDS))  # an integer may be too long for a float
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not a duration")
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{_shown(value)} is not a duration")
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), 9)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "…")
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value > MAX_SECONDS * MAX_SECONDS:
        return "a number of that size"
    return str(value)
