"""The nearest name to one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_LONGEST = 100


def suggest(name: str, candidates: Iterable[str], similarity: float = 0.6) -> str | None:
    """The candidate nearest to ``name``, or None when none is near enough to be meant.

    Case, ``_`` and ``-`` do not count. Ties go to the first candidate. ``similarity`` is between
    0 (anything) and 1 (equal).
    """
    wanted = _plain(name)
    if not wanted or len(wanted) > _LONGEST:
        return None
    best, best_ratio = None, similarity
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    for candidate in candidates:
        matcher.set_seq1(_plain(candidate))
        if matcher.real_quick_ratio() > best_ratio and matcher.quick_ratio() > best_ratio:
            ratio = matcher.ratio()
            if ratio > best_ratio:
                best, best_ratio = candidate, ratio
    return best


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
