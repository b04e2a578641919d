"""Amounts of memory: ``512MiB 2GiB 1.5G``. All units are powers of 1024, as those of Docker and systemd are."""

from __future__ import annotations

import re

_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_FORM = re.compile(r"\s*(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt])(?:i?b|i)?\s*", re.ASCII | re.IGNORECASE)

LEAST = 1024**2
MOST = 1024**5
"""What can be asked for: 1 MiB to 1 PiB."""

PATTERN = r"^\s*\d+(\.\d+)?\s*[kmgtKMGT]([iI]?[bB]|[iI])?\s*$"
"""The same for JSON Schema."""


def parse_memory(value: object) -> int:
    """The bytes of an amount of memory.

    Args:
        value: a text with a unit, ``"512MiB"``, ``"512M"``. It may be anything: what an expression gives is known only
            at the run.

    Raises:
        ValueError: no amount, or one that makes no sense; the message says which.
    """
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    shown = repr(value if len(value) <= 40 else value[:37] + "…") if isinstance(value, str) else "this"
    if match is None:
        raise ValueError(f"{shown} is not an amount of memory such as 512MiB")
    amount = int(float(match[1]) * _UNITS[match[2].lower()])
    if not LEAST <= amount <= MOST:
        raise ValueError(f"{shown} is not between 1 MiB and 1 PiB")
    return amount
