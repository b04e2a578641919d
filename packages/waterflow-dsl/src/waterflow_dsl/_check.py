"""Source to result: the one way through the package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import msgspec

from waterflow_dsl._analysis import Against, analyse
from waterflow_dsl._analysis._called import own_key
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._compile import compile_workflow
from waterflow_dsl._convert import convert
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Diagnostic, Report
from waterflow_dsl._source import compose, decode
from waterflow_dsl.model import Workflow
from waterflow_dsl.plan import Plan

_CACHED = 64
_CACHED_SIZE = 128 * 1024
"""Larger files are compiled anew each time, so that the cache stays below some ten megabytes."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file.

    Attributes:
        diagnostics: every finding, in file order.
        model: what was written, as far as it could be read; None when nothing could.
        plan: what runs; None when there is an error.
    """

    diagnostics: tuple[Diagnostic, ...]
    model: Workflow | None
    plan: Plan | None

    @property
    def ok(self) -> bool:
        """Whether the file has no error; warnings do not count."""
        return self.plan is not None


def check(
    text: str | bytes,
    *,
    filename: str = "workflow.yaml",
    dialect: Dialect = "waterflow",
    catalog: Catalog | None = None,
    variables: Collection[str] = (),
    files: Mapping[str, str] | None = None,
) -> CheckResult:
    """Read, judge and compile a workflow file. Never raises for anything that is in the file.

    Equal arguments give equal results, so results are kept (the last 64, small files only).

    Args:
        text: the file; bytes must be UTF-8, with or without a byte order mark.
        filename: for diagnostics, and for the name of a workflow without one.
        dialect: ``github`` accepts what GitHub accepts and nothing else.
        catalog: nodes, groups and agents to check against; without it, their names are not checked.
        variables: names of variables that are passed at submit; they count as declared.
        files: texts of the workflows that jobs call, by their paths from the directory of this one. Calls of these are
            judged by what they declare, and must not go in circles; other calls are not judged.
    """
    known = frozenset(variables)
    against = Against(dialect=dialect, catalog=catalog, variables=known, key=own_key(filename), files=files)
    return check_against(text, filename, against)


def check_against(text: str | bytes, filename: str, against: Against) -> CheckResult:
    """The same, for a file that is one of several."""
    request = _Request(text, filename, against)
    size = len(text) + sum(len(each) for each in (against.files or {}).values())
    return _cached(request) if size <= _CACHED_SIZE else _check(request)


class _Request:
    """What a result depends on; compares by content, catalogs by digest."""

    def __init__(self, text: str | bytes, filename: str, against: Against) -> None:
        self.text = text
        self.filename = filename
        self.against = against
        files = None if against.files is None else tuple(sorted(against.files.items()))
        digest = against.catalog.digest if against.catalog else None
        self._key = (text, filename, against.dialect, digest, against.variables, against.key, files)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Request) and self._key == other._key


def _check(request: _Request) -> CheckResult:
    report = Report(request.filename)
    source = decode(request.text, report)
    root = compose(source, report, github=request.against.dialect == "github") if source else None
    workflow = convert(root, report, request.against.dialect) if root else None
    plan = None
    if source and workflow:
        secrets = analyse(workflow, source, report, request.against)
        if not report.failed:
            plan = compile_workflow(workflow, request.filename, request.against.catalog, secrets)
    return CheckResult(diagnostics=report.sorted(), model=workflow, plan=plan)


_cached = lru_cache(maxsize=_CACHED)(_check)
