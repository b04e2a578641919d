"""Which workflows a run can reach, and what a called one gets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from waterflow_dsl import called_key
from waterflow_dsl.plan import CallPlan, JobPlan, Plan, PlanVersionError, UsesKind, decode_plan
from waterflow_sdk.wire import run_workflow_id

from ..._inputs import convert_inputs
from .._plans import all_steps
from .._values import StepFailure, Values
from .._wire import CallFrame, Event, JobInput, RunInput, Workflows
from ..expansion._expansion import Instance

STARTS = "workflow/run"


def find_workflow(workflows: Workflows, uses: str) -> tuple[str, Plan]:
    """The key and the plan of the workflow that ``uses`` names here; raises StepFailure."""
    key = called_key(workflows.key, uses)
    if key is None or key not in workflows.plans:
        known = ", ".join(name for name in workflows.plans if not name.startswith("@")) or "none"
        raise StepFailure("unknown-workflow", f"there is no workflow {uses!r} here; sent along: {known}")
    try:
        return key, decode_plan(bytes(workflows.plans[key]))
    except PlanVersionError as error:
        raise StepFailure("plan-version", f"this server cannot read the plan of {key}: {error}") from error


def workflows_of(workflows: Workflows, key: str, plan: Plan, *, deeper: int = 0) -> Workflows:
    """What the workflow ``key`` gets of them: those that it can reach, all where only a run knows which it starts."""
    found: dict[str, msgspec.Raw] = {}
    pending = [(key, plan)]
    while pending:
        name, current = pending.pop()
        for uses in _names(current):
            if "${{" in uses:
                return Workflows(key=key, plans=workflows.plans, depth=workflows.depth + deeper)
            below = called_key(name, uses)
            if below is not None and below in workflows.plans and below not in found:
                found[below] = workflows.plans[below]
                pending.append((below, decode_plan(bytes(workflows.plans[below]))))
    return Workflows(key=key, plans=found, depth=workflows.depth + deeper)


def starts_others(job: JobPlan) -> bool:
    """Whether a step of the job starts another workflow."""
    return next(_started(job), None) is not None


def _names(plan: Plan) -> Iterator[str]:
    for job in plan.jobs:
        if job.call is not None:
            yield str(job.call.workflow)
        yield from _started(job)


def _started(job: JobPlan) -> Iterator[str]:
    for step in all_steps((*job.steps, *job.on_failure, *job.finally_)):
        if step.uses.kind is UsesKind.CONTROL and step.uses.name == STARTS:
            yield str(step.inputs.get("workflow", ""))


def call_input(caller: RunInput, call: CallPlan, values: Values, instance: str, notes: int) -> RunInput:
    """What the reusable workflow gets that a job instance calls; raises StepFailure.

    Inputs and secrets as GitHub passes them ("Reuse workflows"): ``with`` and ``secrets`` are what the called file
    declares, ``inherit`` gives all; the caller's environment stays with the caller. Variables that the submitter gave
    are known everywhere, like GitHub's configuration variables.
    """
    key, plan = find_workflow(caller.workflows, str(call.workflow))
    prefix = f"{instance}/"
    own = {name: value for name, value in caller.kept.items() if name.startswith(prefix)}
    points = {name: point for name, point in caller.resume.items() if name.startswith(prefix)}
    given = _spelled(values.resolve(call.inputs, "with"), plan.inputs)
    return RunInput(
        id=caller.id,
        plan=caller.workflows.plans[key],
        submitted=caller.submitted,
        vars=caller.vars,
        inputs=convert(plan, given),
        secrets=caller.secrets if call.inherit_secrets else _spelled(_secrets(call, values), plan.secrets),
        labels=caller.labels,
        started_by=caller.started_by,
        retry_safe=caller.retry_safe,
        target_all=caller.target_all,
        link=caller.link,
        kept=own,
        resume=points,
        history_events=caller.history_events,
        workflows=workflows_of(caller.workflows, key, plan),
        call=CallFrame(
            instance=instance,
            contexts={name: values.contexts[name] for name in ("github", "run", "event") if name in values.contexts},
            within=[*within(caller), f"{run_workflow_id(caller.id)}/{instance}"],
        ),
        notes=notes,
    )


def instance_prefix(run: RunInput) -> str:
    """What stands before the names of a run's job instances: those of a called workflow are unique in the whole run."""
    return f"{run.call.instance}/" if run.call else ""


def placed_in(run: RunInput, instances: list[Instance]) -> list[Instance]:
    """The instances with the names that they have in the whole run."""
    prefix = instance_prefix(run)
    return [msgspec.structs.replace(each, name=prefix + each.name) for each in instances] if prefix else instances


def as_it_stands(given: JobInput, events: list[Event], paused: str | None) -> JobInput:
    """The input of a job at the moment it starts: whether the run is paused, and the events that came until then."""
    given = msgspec.structs.replace(given, events=events, paused=paused)
    if given.calls is None or given.calls.call is None:
        return given
    call = msgspec.structs.replace(given.calls.call, events=events, paused=paused)
    return msgspec.structs.replace(given, calls=msgspec.structs.replace(given.calls, call=call))


def within(run: RunInput) -> list[str]:
    """Ids of all workflows that a part of the run is a part of, or that wait for it; the run's own among them."""
    if run.call is not None:
        return [*run.call.within, f"{run_workflow_id(run.id)}/{run.call.instance}.run"]
    return [*run.awaited, run_workflow_id(run.id)]


def convert(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the types that a workflow declares; raises StepFailure with all that is wrong with them."""
    inputs, errors = convert_inputs(plan.inputs, given)
    if errors:
        raise StepFailure("invalid-inputs", f"{plan.name}: " + "; ".join(error["message"] for error in errors))
    return inputs


def _secrets(call: CallPlan, values: Values) -> dict[str, str]:
    return values.texts(call.secrets, "secrets") if call.secrets else {}


def _spelled(given: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Names as they were declared; upper and lower case do not count, as on GitHub."""
    names = {name.lower(): name for name in declared}
    return {names.get(name.lower(), name): value for name, value in given.items()}
