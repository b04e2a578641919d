"""The matrix of a job: its form, and how many instances it makes.

Source: GitHub's "Running variations of jobs in a workflow" (256 jobs a matrix; ``exclude`` before ``include``). What
is counted here is what the interpreter makes.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from waterflow_dsl import model
from waterflow_dsl._codes import Code
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report

MAX_INSTANCES = 256
"""Instances of a job, where ``max-instances`` does not raise it."""
MAX_COMPARISONS = 100_000
"""Combinations times entries of ``include`` and ``exclude``: more are refused, here and by the interpreter."""
_BUDGET = 300_000
"""Comparisons in one file; what is left after that is judged by the interpreter."""
_ENTRIES = ("include", "exclude")


def check_matrices(workflow: model.Workflow, report: Report, dialect: Dialect) -> None:
    """Report values that are no lists, and matrices of too many instances."""
    left = _BUDGET
    for job in workflow.jobs.values():
        left -= _check_matrix(job, report, dialect, left)


def _check_matrix(job: model.Job, report: Report, dialect: Dialect, budget: int) -> int:
    """Judge a job; gives the comparisons it took."""
    strategy = job.strategy if isinstance(job.strategy, model.Strategy) else None
    values = model.as_mapping(strategy.matrix) if strategy else None
    if strategy is None or values is None or not _check_values(job.path, strategy, values, report, dialect):
        return 0
    limit = strategy.max_instances or MAX_INSTANCES
    size, compared = _size(values, budget)
    if compared > MAX_COMPARISONS:
        message = f"the matrix has {_shown(size)} combinations: too many to compare with `include` and `exclude`"
        hint = "split the job"
    elif size > limit:
        message = f"the matrix makes {_shown(size)} job instances; at most {limit} are possible"
        hint = "split the job" if dialect == "github" else "split the job, or raise `max-instances` of `strategy`"
    else:
        return compared
    path = f"{job.path}.strategy.matrix"
    report.add(Code.MATRIX_TOO_LARGE, strategy.key("matrix"), message, path=path, hint=hint)
    return min(compared, MAX_COMPARISONS)


def _shown(size: int) -> str:
    """A product has as many digits as a file has names: Python would refuse to write it out."""
    return f"{size:,}" if size < _COUNTABLE else "more than 10^15"


_COUNTABLE = 10**15


def _check_values(job: str, strategy: model.Strategy, values: dict[str, Any], report: Report, dialect: Dialect) -> bool:
    place, fine = strategy.node_of("matrix"), True
    for name, value in values.items():
        path = f"{job}.strategy.matrix.{name}"
        if not isinstance(value, list) and not _has_expression(value):
            message = f"`{name}` takes a list or an expression"
            report.add(Code.WRONG_TYPE, place, message, path=path, hint="write `[…]`")
            fine = False
        elif name in _ENTRIES:
            fine = _check_entries(name, value, strategy, report, path) and fine
        elif value == [] and dialect == "waterflow":
            report.add(Code.EMPTY_VALUE, place, f"`{name}` is an empty list", path=path)
            fine = False
    return fine


def _check_entries(name: str, value: Any, strategy: model.Strategy, report: Report, path: str) -> bool:
    """``include`` and ``exclude`` are lists of mappings, where no expression gives them."""
    fine = True
    for index, each in enumerate(model.as_list(value) or ()):
        if model.as_mapping(each) is None and not _has_expression(each):
            message = f"each entry of `{name}` is a mapping of names to values"
            place = strategy.node_of("matrix")
            report.add(Code.WRONG_TYPE, place, message, path=f"{path}[{index}]", hint="write `- name: value`")
            fine = False
    return fine


def _size(values: dict[str, Any], budget: int) -> tuple[int, int]:
    """How many instances there are at least (exactly, when no expression is in it), and comparisons to find out."""
    axes = {name: model.as_list(value) for name, value in values.items() if name not in _ENTRIES}
    size = math.prod(len(each) for each in axes.values() if each is not None) if axes else 0
    include, exclude = (model.as_list(values.get(name, [])) for name in _ENTRIES)
    compared = size * (len(include or ()) + len(exclude or ()))
    if compared > MAX_COMPARISONS or (size and not compared):
        return size, compared
    if compared > budget:
        return 0, 0
    if not _is_static([*axes.values(), exclude]):
        # `exclude` may take any of them; without it, the list that an expression gives has one value or more.
        return (size if exclude == [] else 0), compared
    return _count({name: each or [] for name, each in axes.items()}, include or [], exclude or []), compared


def _is_static(lists: list[list[Any] | None]) -> bool:
    return not any(each is None or _has_expression(each) for each in lists)


def _count(axes: dict[str, list[Any]], include: list[Any], exclude: list[Any]) -> int:
    products = itertools.product(*axes.values()) if axes else ()
    taken = [entry for each in exclude if (entry := model.as_mapping(each)) is not None]
    kept: list[dict[str, Any]] = []
    for values in products:
        combination = dict(zip(axes, values, strict=True))
        if not any(_covers(combination, entry) for entry in taken):
            kept.append(combination)
    added = [entry for each in include if (entry := model.as_mapping(each)) is not None and not _has_expression(entry)]
    return len(kept) + sum(not _extends(entry, kept, axes) for entry in added)


def _covers(combination: dict[str, Any], entry: dict[str, Any]) -> bool:
    return all(name in combination and combination[name] == value for name, value in entry.items())


def _extends(entry: dict[str, Any], kept: list[dict[str, Any]], axes: dict[str, list[Any]]) -> bool:
    """Whether an entry of ``include`` adds to combinations that are there; else it is an instance of its own."""
    original = {name: value for name, value in entry.items() if name in axes}
    return any(_covers(combination, original) for combination in kept)


def _has_expression(value: Any) -> bool:
    if isinstance(value, str):
        return "${{" in value
    mapping = model.as_mapping(value)
    inner = model.as_list(value) if mapping is None else list(mapping.values())
    return any(_has_expression(each) for each in inner or ())
