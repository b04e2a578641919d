"""Source to result: the one way through the package."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from waterflow_dsl._analysis import Against, analyse
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._compile import compile_workflow
from waterflow_dsl._convert import convert
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Diagnostic, Report
from waterflow_dsl._source import compose, decode
from waterflow_dsl.model import Workflow
from waterflow_dsl.plan import Plan


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
) -> CheckResult:
    """Read, judge and compile a workflow file. Never raises for anything that is in the file.

    Args:
        text: the file; bytes must be UTF-8, with or without a byte order mark.
        filename: for diagnostics, and for the name of a workflow without one.
        dialect: ``github`` accepts what GitHub accepts and nothing else.
        catalog: nodes, groups and agents to check against; without it, their names are not checked.
        variables: names of variables that are passed at submit; they count as declared.
    """
    report = Report(filename)
    source = decode(text, report)
    root = compose(source, report) if source else None
    workflow = convert(root, report, dialect) if root else None
    if source and workflow:
        against = Against(dialect=dialect, catalog=catalog, variables=frozenset(variables))
        analyse(workflow, source, report, against)
    plan = compile_workflow(workflow, filename, catalog) if workflow and not report.failed else None
    return CheckResult(diagnostics=report.sorted(), model=workflow, plan=plan)
