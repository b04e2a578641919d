"""What every expression of a run sees. Pure: the run service evaluates with the same contexts at submit."""

from __future__ import annotations

from typing import Any

from waterflow_dsl.plan import Plan

from .._wire import RunInput


def run_contexts(given: RunInput, plan: Plan) -> dict[str, Any]:
    """What every expression of the run sees, whatever job it is in. Run, event and ``github`` are those of the caller
    where another workflow calls this one, as on GitHub.
    """
    caller = given.call.contexts if given.call else {}
    inputs = {name: declared.default for name, declared in plan.inputs.items()} | given.inputs
    return {
        "vars": {**plan.vars, **given.vars},
        "inputs": inputs,
        "event": given.event,
        "run": {
            "id": given.id,
            "name": plan.name,
            "started-by": given.started_by,
            "labels": given.labels,
            "submitted": given.submitted.isoformat(),
        },
        "workflow": {"name": plan.name, "source": plan.source, "hash": plan.hash},
        "github": {
            "workflow": plan.name,
            "run_id": given.id,
            "actor": given.started_by,
            "event_name": given.event.get("name", "workflow_dispatch"),
            "event": {**given.event, "inputs": inputs},
        },
        **caller,
    }
