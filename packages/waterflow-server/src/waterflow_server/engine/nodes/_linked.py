"""``workflow/run``: another workflow as a run of its own, with an id and search attributes of its own."""

from __future__ import annotations

import base64
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from waterflow_dsl.plan import Plan
from waterflow_sdk.wire import RunState, State, run_workflow_id

from ... import _search_attributes as attributes
from .._json import is_mapping
from .._values import StepFailure
from .._wire import RUN_WORKFLOW, RunInput
from ..calls._call import Child, Messages, ended
from ..calls._called import convert, find_workflow, workflows_of
from ._given import Control

MAX_STARTED_LEVELS = 10
"""Runs that start each other: a workflow that starts itself ends here."""


async def run_workflow(control: Control) -> dict[str, Any]:
    """Start it and, unless ``wait`` is false, wait for its end: then a result other than success fails the step."""
    given = control.given
    if given.workflows.depth >= MAX_STARTED_LEVELS:
        raise StepFailure("too-many-levels", f"{MAX_STARTED_LEVELS} runs have started each other; this one starts none")
    key, plan = find_workflow(given.workflows, str(control.inputs.get("workflow") or ""))
    waits = _waits(control.inputs.get("wait", True))
    run = _input(control, key, plan, waits=waits)
    messages = Messages(control.stop)
    child = await _start(run, plan)
    outputs: dict[str, Any] = {"id": run.id, "result": "", "outputs": {}}
    control.record.outputs = outputs
    if not waits:
        return outputs
    state = await _awaited(control, child, run, plan, messages)
    control.record.outputs = {**outputs, "result": state.state.result, "outputs": state.outputs}
    if state.state is State.SUCCESS:
        return control.record.outputs
    if control.stop.cancelled:
        return {}
    why = state.error.message if state.error else state.reason
    raise StepFailure("run-failed", f"run {run.id} ({plan.name}): {state.state.value}" + (f": {why}" if why else ""))


async def _awaited(control: Control, child: Child, run: RunInput, plan: Plan, messages: Messages) -> RunState:
    waiting_for = f"run {run.id} ({plan.name})"
    control.record.wait(workflow.now(), waiting_for)
    await control.tell(State.WAITING, waiting_for)
    try:
        await messages.follow(child)
    finally:
        control.record.go_on(workflow.now())
        await control.tell(State.RUNNING, "")
    return await ended(child, run.id)


def _waits(value: Any) -> bool:
    if value in (True, False):
        return bool(value)
    if value in ("true", "false"):
        return value == "true"
    raise StepFailure("invalid-input", f"with.wait: must be true or false, not {value!r}")


def _input(control: Control, key: str, plan: Plan, *, waits: bool) -> RunInput:
    given = control.given
    secrets = {name: str(value) for name, value in _mapping(control, "secrets").items()}
    missing = [name for name, declared in plan.secrets.items() if declared.required and not secrets.get(name)]
    if missing:
        raise StepFailure("invalid-inputs", f"with.secrets: {plan.name} needs {', '.join(missing)}")
    return RunInput(
        id=_new_id(),
        plan=given.workflows.plans[key],
        submitted=workflow.now(),
        vars=_mapping(control, "vars"),
        inputs=convert(plan, _mapping(control, "inputs")),
        secrets=secrets,
        started_by=given.run.started_by,
        retry_safe=given.retry_safe,
        target_all=given.target_all,
        workflows=workflows_of(given.workflows, key, plan, deeper=1),
        parent=given.run.id,
        awaited=_waiting_workflows(control) if waits else [],
        history_events=given.history_events,
    )


def _waiting_workflows(control: Control) -> list[str]:
    """This job and what it is a part of: a concurrency group that one of them holds would be waited for for ever."""
    run = run_workflow_id(control.given.run.id)
    return list(dict.fromkeys([run, *control.given.within, workflow.info().workflow_id]))


def _mapping(control: Control, name: str) -> dict[str, Any]:
    value: Any = control.inputs.get(name)
    if value is None:
        return {}
    if not is_mapping(value):
        raise StepFailure("invalid-input", f"with.{name}: must be a mapping, not {type(value).__name__}")
    return dict(value)


def _new_id() -> str:
    """In the form of every run's id, but by durable chance: the same at every replay."""
    chance = workflow.random().getrandbits(40).to_bytes(5, "big")
    return f"{workflow.now():%Y%m%d-%H%M%S}-{base64.b32encode(chance).decode().lower()}"


async def _start(run: RunInput, plan: Plan) -> Child:
    """The run goes on by itself whatever becomes of the job that started it; a cancel is passed on as a signal."""
    state = State.QUEUED if plan.concurrency else State.RUNNING
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(attributes.KIND, "run"),
        SearchAttributePair(attributes.NAME, plan.name[:200]),
        SearchAttributePair(attributes.STATE, state.value),
        SearchAttributePair(attributes.STARTED_BY, run.started_by[:200]),
    ]
    return await workflow.start_child_workflow(
        RUN_WORKFLOW,
        run,
        id=run_workflow_id(run.id),
        result_type=RunState,
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        search_attributes=TypedSearchAttributes(pairs),
        static_summary=plan.name,
    )
