"""What is to be said of an action manifest beyond its keys."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._analysis._expressions import Inspector, Scope
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._schema._action import JAVASCRIPT, USING
from waterflow_dsl._source import SourceText

_SCRIPT = frozenset({"main", "pre", "post", "pre-if", "post-if"})
_CONTAINER = frozenset({"image", "entrypoint", "pre-entrypoint", "post-entrypoint", "args", "env", "pre-if", "post-if"})


def analyse_action(action: model.Action, source: SourceText, report: Report) -> None:
    """Report what does not fit together, and every mistake in the expressions."""
    inspector = Inspector(source, report, "github")
    scope = Scope({})
    for owner in (action, action.runs, *(action.runs.steps if action.runs else ())):
        for site in owner.sites if owner else ():
            inspector.inspect(site, scope)
    if action.runs is not None and action.runs.using is not None:
        _check_runs(action.runs, action.runs.using, report)


def _check_runs(runs: model.ActionRuns, using: str, report: Report) -> None:
    if using not in USING:
        near = did_you_mean(report.nearest(using, USING)) or "one of: " + ", ".join(USING)
        message = f"`{using[:40]}` is no kind of action"
        report.add(Code.ACTION_USING, runs.node_of("using"), message, path="runs.using", hint=near)
        return
    needed, known = _keys(using)
    if needed not in runs.node.entries:
        message = f"an action with `using: {using}` needs `{needed}`"
        report.add(Code.ACTION_KEY, runs.key("using"), message, path="runs", hint=f"add `{needed}:`")
    for key, entry in runs.node.entries.items():
        if key in _SCRIPT | _CONTAINER | {"steps"} and key not in known:
            message = f"an action with `using: {using}` has no `{key}`"
            report.add(Code.ACTION_KEY, entry.key, message, path=f"runs.{key}", hint="remove it")


def _keys(using: str) -> tuple[str, frozenset[str]]:
    """The key that a kind of action needs, and those that it knows."""
    if using in JAVASCRIPT:
        return "main", _SCRIPT
    return ("image", _CONTAINER) if using == "docker" else ("steps", frozenset({"steps"}))
