"""All analyses of a model, in an order in which one mistake is reported once."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly

import msgspec

from waterflow_dsl import model
from waterflow_dsl._analysis._called import CalledFiles
from waterflow_dsl._analysis._calls import check_calls
from waterflow_dsl._analysis._contexts import Jobs, file_contexts, job_contexts
from waterflow_dsl._analysis._declarations import check_inputs, check_secrets, opaque_secrets
from waterflow_dsl._analysis._expressions import Inspector, Scope
from waterflow_dsl._analysis._graph import check_graph
from waterflow_dsl._analysis._ids import check_ids, check_ids_on_github
from waterflow_dsl._analysis._nodes import NodeChecker
from waterflow_dsl._analysis._placement import check_placement
from waterflow_dsl._analysis._run_as import check_run_as
from waterflow_dsl._analysis._shapes import NOT_HERE, OPEN, Shape
from waterflow_dsl._analysis._steps import StepWalker
from waterflow_dsl._analysis._structure import check_job, check_structure
from waterflow_dsl._analysis._targets import check_group_on_github, check_rollout, check_target
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._convert._reader import Dialect
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._source import Mapping, Node, SourceText


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is judged against. ``key`` is its own among ``files``."""

    dialect: Dialect
    catalog: Catalog | None
    variables: frozenset[str]
    key: str = ""
    files: ReadOnly[str, str] | None = None


def analyse(workflow: model.Workflow, source: SourceText, report: Report, against: Against) -> frozenset[str]:
    """Report everything that can be said of a model before a run; gives the names of the secrets that it reads."""
    inspector = Inspector(source, report, against.dialect, opaque_secrets(workflow))
    check_structure(workflow, report, against.dialect)
    check_inputs(workflow, report, against.dialect)
    check_secrets(workflow, report)
    check_graph(workflow, report)
    called = CalledFiles(against.key, workflow, against.files, against.dialect)
    check_calls(workflow, called, report)
    contexts = file_contexts(workflow, against.variables)
    jobs = Jobs(workflow, against.variables, called)
    _check_file(workflow, inspector, report, Scope(_for(against.dialect, contexts)), against, jobs)
    nodes = NodeChecker(against.catalog, report, against.dialect)
    for job_id, job in workflow.jobs.items():
        check_job(job_id, job, report, against.dialect)
        check_ids(job, report)
        if against.dialect == "github":
            check_group_on_github(job, report)
            check_ids_on_github(job_id, _key_of(workflow, job_id), job, report)
        check_target(job, report, against.catalog)
        check_rollout(job, report)
        check_placement(job, workflow.defaults, report, against.catalog)
        check_run_as(job, workflow.defaults, report, against.catalog)
        here = {**contexts, **job_contexts(jobs, job_id, job)}
        scope = Scope(_for(against.dialect, here))
        walker = StepWalker(job, scope, inspector, nodes, against.catalog, against.dialect)
        walker.walk(job)
        for site in job.sites:
            inspector.inspect(site, walker.scope)
    return frozenset(inspector.secrets)


def _check_file(
    workflow: model.Workflow, inspector: Inspector, report: Report, scope: Scope, against: Against, jobs: Jobs
) -> None:
    everything: dict[str, Shape] = dict.fromkeys(("needs", "matrix", "steps", "item", "index"), OPEN)
    for site in workflow.sites:
        inspector.inspect(site, scope.with_contexts(everything))
    if workflow.on:
        outer = scope.with_contexts({"jobs": OPEN if against.dialect == "github" else jobs.all()})
        for site in workflow.on.sites:
            inspector.inspect(site, outer)
    if workflow.defaults:
        check_target(workflow.defaults, report, against.catalog)


def _key_of(workflow: model.Workflow, job_id: str) -> Node:
    jobs = workflow.node.get("jobs")
    return jobs.entries[job_id].key if isinstance(jobs, Mapping) else workflow.node


def _for(dialect: Dialect, contexts: ReadOnly[str, Shape]) -> dict[str, Shape]:
    """GitHub judges the names of contexts, never what is in them."""
    if dialect == "github":
        return {name: NOT_HERE if shape is NOT_HERE else OPEN for name, shape in contexts.items()}
    return {**contexts}
