"""Action manifests: ``action.yml``."""

from __future__ import annotations

import msgspec

from waterflow_dsl._analysis._action import analyse_action
from waterflow_dsl._compile._steps import Defaults, compile_steps
from waterflow_dsl._convert import convert_action
from waterflow_dsl._diagnostics import Diagnostic, Report
from waterflow_dsl._source import compose, decode
from waterflow_dsl.model import Action
from waterflow_dsl.plan import NodePlan


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an action manifest.

    Attributes:
        diagnostics: every finding, in file order.
        model: what was written; None when it could not be read.
        steps: what a composite action runs, with paths ``steps[0]``; empty for other kinds, and when there is an error.
        ok: whether there is no error.
    """

    diagnostics: tuple[Diagnostic, ...]
    model: Action | None
    steps: tuple[NodePlan, ...]
    ok: bool


def check_action(text: str | bytes, *, filename: str = "action.yml") -> ActionResult:
    """Read and judge an action manifest as GitHub does. Never raises for anything that is in it.

    Args:
        text: the manifest; bytes must be UTF-8.
        filename: for diagnostics.
    """
    report = Report(filename)
    source = decode(text, report)
    root = compose(source, report, github=True) if source else None
    action = convert_action(root, report) if root else None
    if source and action:
        analyse_action(action, source, report)
    ok = action is not None and not report.failed
    written = action.runs.steps if ok and action and action.runs else ()
    steps = compile_steps(written, "steps", Defaults(levels=(), catalog=None))
    return ActionResult(diagnostics=report.sorted(), model=action, steps=steps, ok=ok)
