"""Matrix expansion by GitHub's rules (Workflow syntax: ``jobs.<job_id>.strategy.matrix``, ``include``, ``exclude``)."""

from __future__ import annotations

import itertools
import math
from typing import Any

from .._json import is_list, is_mapping
from .._values import StepFailure

MAX_INSTANCES = 256
"""Combinations that one job's matrix may have (GitHub's limit), where the file does not raise it."""
MAX_COMPARISONS = 100_000
"""Combinations times entries of ``include`` and ``exclude``: more would hold up the worker."""

Combination = dict[str, Any]


def expand_matrix(matrix: Any, include: Any, exclude: Any, limit: int | None = None) -> list[Combination]:
    """All combinations in the order of the keys as written; raises StepFailure for what is not a matrix."""
    axes = {} if matrix is None else _mapping(matrix, "strategy.matrix")
    include = axes.pop("include", include)
    exclude = axes.pop("exclude", exclude)
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            raise StepFailure("matrix", f"strategy.matrix.{name}: must be a list with at least one value")
    added, taken = _entries(include, "include"), _entries(exclude, "exclude")
    _refuse_endless(axes, len(added) + len(taken), limit or MAX_INSTANCES)
    products = itertools.product(*axes.values()) if axes else ()
    base = [dict(zip(axes, combination, strict=True)) for combination in products]
    kept = [entry for entry in base if not any(_covers(entry, out) for out in taken)]
    combinations = _include(kept, set(axes), added)
    if len(combinations) > (limit or MAX_INSTANCES):
        raise _too_many(len(combinations), limit or MAX_INSTANCES)
    return combinations


def _refuse_endless(axes: Combination, entries: int, limit: int) -> None:
    """A matrix is refused before it is made when that alone would take too long: a few short lists make billions."""
    size = math.prod(len(values) for values in axes.values()) if axes else 0
    if entries == 0 and size > limit:
        raise _too_many(size, limit)
    if size * entries > MAX_COMPARISONS:
        message = f"strategy.matrix: {size:,} combinations are too many to compare with include and exclude"
        raise StepFailure("matrix", message)


def _too_many(size: int, limit: int) -> StepFailure:
    return StepFailure("matrix", f"strategy.matrix: {size:,} combinations; {limit} are allowed")


def _include(kept: list[Combination], axes: set[str], entries: list[Combination]) -> list[Combination]:
    """An entry extends every combination whose original values it does not change; else it is one of its own."""
    originals = [dict(entry) for entry in kept]
    extra: list[Combination] = []
    for entry in entries:
        matching = [
            index
            for index, original in enumerate(originals)
            if all(original[key] == value for key, value in entry.items() if key in axes)
        ]
        if matching:
            for index in matching:
                kept[index].update(entry)
        else:
            extra.append(dict(entry))
    return kept + extra


def _covers(combination: Combination, pattern: Combination) -> bool:
    return all(key in combination and combination[key] == value for key, value in pattern.items())


def _entries(value: Any, field: str) -> list[Combination]:
    if value is None:
        return []
    if not is_list(value):
        raise StepFailure("matrix", f"strategy.{field}: must be a list")
    return [_mapping(entry, f"strategy.{field}[{index}]") for index, entry in enumerate(value)]


def _mapping(value: Any, field: str) -> Combination:
    if not is_mapping(value):
        raise StepFailure("matrix", f"{field}: must be a mapping, not {type(value).__name__}")
    return {str(key): item for key, item in value.items()}
