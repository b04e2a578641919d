"""A workflow together with the workflows that it may call: each is checked and compiled, and so are the calls."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping

import msgspec

from waterflow_dsl import model
from waterflow_dsl._analysis import Against
from waterflow_dsl._analysis._blocks import all_blocks
from waterflow_dsl._analysis._called import called_key, normal_key, own_key
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._check import CheckResult, check_against
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Diagnostic, Report, did_you_mean
from waterflow_dsl._source import Node
from waterflow_dsl.plan import Plan

MAX_CALL_LEVELS = 10
"""The workflow itself and nine below it (GitHub, "Reusing workflow configurations", limitations)."""


class CheckedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a workflow and of those that were given with it.

    Attributes:
        result: that of the workflow itself, with the findings in all files, its own first. No plan when there is an
            error in any of them.
        called: the plans of the others, by their key; empty when there is an error.
        missing: the keys of workflows that are named and were not given.
        results: what is known of each of the others, by their key.
    """

    result: CheckResult
    called: Mapping[str, Plan]
    missing: tuple[str, ...]
    results: Mapping[str, CheckResult] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every finding, file by file."""
        return self.result.diagnostics

    @property
    def plan(self) -> Plan | None:
        """What runs; None when any file has an error."""
        return self.result.plan

    @property
    def ok(self) -> bool:
        """Whether no file has an error; warnings do not count."""
        return self.result.ok


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    """A place that names another workflow. ``nested``: as a part of its caller, so that levels count."""

    uses: str
    key: str
    place: Node
    path: str
    nested: bool


def check_files(
    text: str | bytes,
    *,
    filename: str = "workflow.yaml",
    files: Mapping[str, str] | None = None,
    catalog: Catalog | None = None,
    variables: Collection[str] = (),
    stored: bool = True,
) -> CheckedFiles:
    """Read, judge and compile a workflow and all that is given with it. Never raises for anything that is in a file.

    ``files`` are texts by their paths from the directory of ``filename``; stored workflows are ``@name/workflow.yaml``.
    Every call must find its workflow among them; without ``stored``, only those that are files: where stored workflows
    are not known, calls of them are not judged. The other arguments are those of :func:`waterflow_dsl.check`.
    """
    texts = {normal_key(name): each for name, each in (files or {}).items()}
    root = own_key(filename)
    results: dict[str, CheckResult] = {}
    found: list[Diagnostic] = []
    for key, each in {root: text, **{key: texts[key] for key in sorted(texts) if key != root}}.items():
        shown = filename if key == root else _shown(filename, key)
        against = Against(dialect="waterflow", catalog=catalog, variables=frozenset(variables), key=key, files=texts)
        results[key] = check_against(each, shown, against)
        found += results[key].diagnostics
    calls = {key: list(_calls(key, result.model)) for key, result in results.items()}
    for key in results:
        judged = [call for call in calls[key] if stored or not call.key.startswith("@")]
        found += _missing(filename if key == root else _shown(filename, key), judged, results)
    found += _too_deep(filename, root, calls)
    ok = not any(each.severity == "error" for each in found)
    plans = {key: result.plan for key, result in results.items() if result.plan is not None}
    plan = plans.pop(root, None)
    own = results.pop(root)
    result = CheckResult(diagnostics=tuple(found), model=own.model, plan=plan if ok else None)
    named = dict.fromkeys(call.key for each in calls.values() for call in each)
    missing = tuple(key for key in named if key != root and key not in results)
    return CheckedFiles(result=result, called=plans if ok else {}, missing=missing, results=results)


def named_workflows(workflow: model.Workflow, key: str) -> list[str]:
    """The keys of the workflows that the file ``key`` names, by ``uses`` of a job or by ``workflow/run``."""
    return list(dict.fromkeys(call.key for call in _calls(key, workflow)))


def _shown(filename: str, key: str) -> str:
    """A file as people find it: from where they named the first one."""
    if key.startswith("@"):
        return key
    return posixpath.normpath(posixpath.join(posixpath.dirname(filename.replace("\\", "/")), key))


def _calls(key: str, workflow: model.Workflow | None) -> Iterator[_Call]:
    for job in workflow.jobs.values() if workflow else ():
        called = called_key(key, job.uses) if job.uses else None
        if job.uses and called:
            yield _Call(uses=job.uses, key=called, place=job.node_of("uses"), path=f"{job.path}.uses", nested=True)
        for block in all_blocks(job):
            if not isinstance(block, model.Step) or block.uses != "workflow/run" or not isinstance(block.with_, dict):
                continue
            uses = block.with_.get("workflow")
            called = called_key(key, uses) if isinstance(uses, str) else None
            if called:
                place, path = block.node_of("with"), f"{block.path}.with.workflow"
                yield _Call(uses=str(uses), key=called, place=place, path=path, nested=False)


def _missing(filename: str, calls: list[_Call], known: Collection[str]) -> tuple[Diagnostic, ...]:
    report = Report(filename)
    for call in calls:
        if call.key in known:
            continue
        if call.key.startswith("@"):
            message = f"there is no stored workflow `{call.uses}`"
            hint = "a file of that name is written with `./` in front"
        else:
            message = f"the workflow `{call.uses}` is not among the files that were sent along"
            hint = did_you_mean(report.nearest(call.key, known)) or "its path is seen from the file that names it"
        report.add(Code.UNKNOWN_CALLED, call.place, message, path=call.path, hint=hint)
    return report.sorted()


def _too_deep(filename: str, root: str, calls: Mapping[str, list[_Call]]) -> tuple[Diagnostic, ...]:
    """Calls with too many levels below them. A level holds each workflow once: nothing grows exponentially."""
    report = Report(filename)
    for call in calls[root]:
        trails = {call.key: (root, call.key)} if call.nested else {}
        for _ in range(MAX_CALL_LEVELS - 1):
            trails = {
                below.key: (*trail, below.key)
                for key, trail in trails.items()
                for below in calls.get(key, ())
                if below.nested and below.key not in trail  # a circle is another error
            }
        for trail in list(trails.values())[:1]:
            message = f"{len(trail)} levels of calls: {' → '.join(trail)}; at most {MAX_CALL_LEVELS}"
            report.add(Code.CALL_DEPTH, call.place, message, path=call.path, hint="call some of them from one place")
    return report.sorted()
