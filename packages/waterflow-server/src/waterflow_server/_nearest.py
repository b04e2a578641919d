"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most alike of ``names``; None when none is near."""
    return next(iter(get_close_matches(name[:200], sorted(names), n=1, cutoff=0.6)), None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the end of a message, or nothing."""
    found = nearest(name, names)
    return f"; did you mean {found!r}?" if found else ""
