"""The shapes of the contexts that a file declares: vars, inputs, secrets, needs, steps, matrix."""

from __future__ import annotations

from typing import Any

from waterflow_dsl import model
from waterflow_dsl._analysis._fields import FIXED
from waterflow_dsl._analysis._shapes import NOT_HERE, OPEN, VALUE, Closed, ListOf, Shape
from waterflow_dsl._catalog import Catalog, NodeSignature
from waterflow_dsl._codes import Code
from waterflow_dsl._control import CONTROL_NODES
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import UsesKind


def file_contexts(workflow: model.Workflow, variables: frozenset[str]) -> dict[str, Shape]:
    """The contexts of the file's own fields."""
    names = dict.fromkeys([*workflow.vars, *sorted(variables)], OPEN)
    hint = "declare it under `vars:` with a default"
    return {
        **FIXED,
        "vars": Closed(names, "`vars`", Code.UNDECLARED_VAR, hint),
        "inputs": Closed(
            dict.fromkeys(declared_inputs(workflow), OPEN),
            "`inputs`",
            Code.UNDECLARED_INPUT,
            "declare it under `on.manual.inputs`",
        ),
        "secrets": OPEN,
        "needs": OPEN,
        "strategy": FIXED["strategy"],
    }


def declared_inputs(workflow: model.Workflow) -> dict[str, model.Input | None]:
    """All inputs of a file, whichever trigger asks for them."""
    triggers = workflow.on
    found: dict[str, model.Input | None] = {}
    if triggers and triggers.call:
        found.update(triggers.call.inputs)
    if triggers and triggers.manual:
        found.update(triggers.manual.inputs)
    return found


def jobs_shape(workflow: model.Workflow) -> Shape:
    """The context ``jobs`` of a reusable workflow's outputs."""
    shapes = {job_id: _job_shape(job_id, job) for job_id, job in workflow.jobs.items()}
    return Closed(shapes, "`jobs`", Code.UNKNOWN_JOB)


def job_contexts(workflow: model.Workflow, job_id: str, job: model.Job) -> dict[str, Shape]:
    """What a job sees beside the file's contexts."""
    needs = {need: _job_shape(need, workflow.jobs[need]) for need in job.needs if need in workflow.jobs}
    broken = any(need not in workflow.jobs for need in job.needs)
    refused = {
        other: (Code.UNKNOWN_NEED, f"the job `{other}` is not in `needs` of `{job_id}`")
        for other in workflow.jobs
        if other not in needs
    }
    hint = f"add it to `needs` of `{job_id}`"
    found: dict[str, Shape] = {
        "needs": OPEN if broken else Closed(needs, "`needs`", Code.UNKNOWN_NEED, hint, refused),
        "matrix": matrix_shape(job),
    }
    if job.for_each is None:
        found |= {"item": NOT_HERE, "index": NOT_HERE}
    return found


_INSTANCE = "agent result outputs error matrix item"


def _job_shape(job_id: str, job: model.Job) -> Shape:
    outputs: Shape = OPEN
    if job.uses is None:
        hint = f"declare it under `outputs` of `{job_id}`"
        outputs = Closed(dict.fromkeys(job.outputs, OPEN), f"the job `{job_id}`", Code.UNKNOWN_OUTPUT, hint)
    instance: dict[str, Shape] = dict.fromkeys(_INSTANCE.split(), OPEN)
    results = ListOf(Closed({**instance, "outputs": outputs}, f"a result of the job `{job_id}`"))
    return Closed({"result": VALUE, "outputs": outputs, "results": results}, f"`needs.{job_id}`")


def matrix_shape(job: model.Job) -> Shape:
    """The names of a matrix; open where an expression gives them."""
    matrix: Any = job.strategy.matrix if job.strategy else None
    if isinstance(matrix, str):
        return OPEN
    if not isinstance(matrix, dict):
        return Closed({}, "`matrix`", hint="the job has no `strategy.matrix`")
    names: dict[str, Shape] = {name: OPEN for name in matrix if name not in ("include", "exclude")}
    include: Any = matrix.get("include", [])
    if not isinstance(include, list):
        return OPEN
    for entry in include:
        if not isinstance(entry, dict):
            return OPEN
        names |= dict.fromkeys(entry, OPEN)
    return Closed(names, "`matrix`")


def step_shape(step: model.Block, catalog: Catalog | None, looped: bool) -> Shape:
    """What ``steps.<id>`` holds."""
    outputs = _outputs(step, catalog) if isinstance(step, model.Step) else OPEN
    names: dict[str, Shape] = {"outputs": outputs, "outcome": VALUE, "conclusion": VALUE, "error": OPEN, "exit-code": VALUE}
    if looped or not isinstance(step, model.Step) or step.for_each is not None:
        names["results"] = OPEN
    return Closed(names, f"`steps.{step.id}`")


def _outputs(step: model.Step, catalog: Catalog | None) -> Shape:
    if step.run is not None or not step.uses:
        return OPEN
    uses = parse_uses(step.uses, catalog)
    if uses is None or uses.kind not in (UsesKind.NODE, UsesKind.CONTROL):
        return OPEN
    if uses.name == "data/transform" and isinstance(step.with_, dict):
        return Closed(dict.fromkeys(step.with_, OPEN), f"the step `{step.id}`", Code.UNKNOWN_OUTPUT)
    signature = signature_of(uses.name, catalog)
    if signature is None or not is_closed(signature.outputs):
        return OPEN
    return Closed(dict.fromkeys(signature.outputs["properties"], OPEN), f"the node `{uses.name}`", Code.UNKNOWN_OUTPUT)


def signature_of(name: str, catalog: Catalog | None) -> NodeSignature | None:
    """What is known of a node."""
    return CONTROL_NODES.get(name) or (catalog.nodes.get(name) if catalog else None)


def is_closed(schema: dict[str, Any]) -> bool:
    """Whether a schema names all there is: it has properties and leaves no word about others, or refuses them."""
    if "patternProperties" in schema or schema.get("additionalProperties", False) is not False:
        return False
    return bool(schema.get("properties")) or schema.get("additionalProperties") is False
