"""Steps of two definitions against each other: where the first difference is that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from waterflow_dsl.plan import BranchPlan, NodePlan, StepPlan
from waterflow_dsl.reads import reads

Names = set[tuple[str, str]]
"""Names that expressions read and that have other values now: ``("vars", "app")``."""

_FIELDS = {
    "inputs": "with",
    "condition": "if",
    "otherwise": "else",
    "for_each": "for-each",
    "each": "for-each",
    "run_as": "run-as",
    "memory": "resources",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The first difference: ``at`` is the number of the step, None where there is none; ``words`` say what it is."""

    at: int | None = None
    words: str = ""


NOTHING = Change()
"""No difference that counts."""


def first_change(old: Sequence[NodePlan], new: Sequence[NodePlan], names: Names) -> Change:
    """The first step from which on nothing that was done counts. Steps that were taken away at the end do not count."""
    for number, after in enumerate(new):
        words = _step_change(old[number], after, names) if number < len(old) else "is new"
        if words:
            return Change(at=number, words=f"{after.path} {words}")
    return NOTHING


def reads_changed(part: object, names: Names) -> str:
    """The first of these names that a part of a plan reads, as ``vars.app``; empty when it reads none."""
    for path in sorted(reads(part)):
        for context, name in sorted(names):
            if path[0].lower() == context and (len(path) == 1 or path[1].lower() == name.lower()):
                return f"{context}.{name}"
    return ""


def _step_change(before: NodePlan, after: NodePlan, names: Names) -> str:
    old, new = essence(before), essence(after)
    if type(old) is not type(new):
        return "is another kind of step"
    fields = [field for field in new.__struct_fields__ if getattr(old, field) != getattr(new, field)]
    if fields:
        shown = ", ".join(f"`{_FIELDS.get(field, field)}`" for field in fields)
        return f"changed ({shown})"
    changed = reads_changed(new, names)
    return f"reads {changed}, which changed" if changed else ""


def essence(node: NodePlan) -> Any:
    """What a step does, without what only says how it is tried, timed, undone, named or where it is written."""
    if isinstance(node, StepPlan):
        return msgspec.structs.replace(
            node,
            name="",
            line=0,
            timeout=None,
            heartbeat_timeout=None,
            retry=None,
            continue_on_error=False,
            rollback=(),
        )
    if isinstance(node, BranchPlan):
        return msgspec.structs.replace(
            node,
            name="",
            line=0,
            then=tuple(essence(each) for each in node.then),
            otherwise=tuple(essence(each) for each in node.otherwise),
        )
    return msgspec.structs.replace(node, name="", line=0, steps=tuple(essence(each) for each in node.steps))
