"""Durations: ``500ms 30s 10m 2h 1d 1h30m`` or a number of seconds."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(r"(?:\d{1,15}(?:\.\d{1,9})?(?:ms|s|m|h|d))+", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)

MAX_SECONDS = 10 * 365 * 86400.0
"""Ten years; Temporal's timers end there as well."""


def parse_duration(value: str | float) -> float:
    """The seconds of a duration.

    Args:
        value: ``"1h30m"``, ``"500ms"``, or a number of seconds. Units in descending order are not asked for.

    Raises:
        ValueError: not a duration, negative, or longer than ten years; the message says which.
    """
    seconds = _seconds(value)
    if seconds > MAX_SECONDS:
        raise ValueError(f"{_shown(value)} is longer than ten years")
    return seconds


def _seconds(value: str | float) -> float:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a duration")
    if isinstance(value, (int, float)):
        if not value >= 0:
            raise ValueError(f"{value} is not a duration: it must not be negative")
        return float(value)
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{_shown(value)} is not a duration")
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), 9)


def _shown(value: str | float) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "…") if isinstance(value, str) else text
