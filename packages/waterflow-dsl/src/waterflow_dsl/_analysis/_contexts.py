"""The shapes of the contexts that a file declares: vars, inputs, secrets, needs, steps, matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks
from waterflow_dsl._analysis._called import CalledFiles
from waterflow_dsl._analysis._fields import FIXED
from waterflow_dsl._analysis._shapes import NOT_HERE, OPEN, VALUE, Closed, ListOf, Names, Shape, Similar
from waterflow_dsl._catalog import Catalog, NodeSignature
from waterflow_dsl._codes import Code
from waterflow_dsl._control import CONTROL_NODES
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import UsesKind


def file_contexts(workflow: model.Workflow, variables: frozenset[str]) -> dict[str, Shape]:
    """The contexts of the file's own fields."""
    return {
        **FIXED,
        "vars": _vars([*workflow.vars, *sorted(variables)]),
        "inputs": Closed(
            dict.fromkeys(declared_inputs(workflow), OPEN),
            "`inputs` has no `{}`",
            Code.UNDECLARED_INPUT,
            "declare it under `on.manual.inputs`",
        ),
        "secrets": _secrets(workflow),
        "needs": OPEN,
        "strategy": FIXED["strategy"],
    }


def _vars(names: Iterable[str]) -> Shape:
    hint = "declare it under `vars:` with a default"
    return Closed(Names(names), "`vars` has no `{}`", Code.UNDECLARED_VAR, hint)


def vars_set_by(job: model.Job) -> list[str]:
    """The variables that a job sets by ``vars/set``: no declaration is asked for."""
    return [
        name
        for block in all_blocks(job)
        if isinstance(block, model.Step) and block.uses == "vars/set" and isinstance(block.with_, dict)
        for name in block.with_
    ]


def _secrets(workflow: model.Workflow) -> Shape:
    """Reading a secret declares it; but where one of nearly that name is declared, the other is a typing mistake."""
    call = workflow.on.call if workflow.on else None
    names = [*workflow.secrets, *(call.secrets if call else {}), "GITHUB_TOKEN"]
    return Similar(tuple(names), "`secrets`", Code.UNDECLARED_SECRET)


def declared_inputs(workflow: model.Workflow) -> dict[str, model.Input | None]:
    """All inputs of a file, whichever trigger asks for them."""
    triggers = workflow.on
    found: dict[str, model.Input | None] = {}
    if triggers and triggers.call:
        found.update(triggers.call.inputs)
    if triggers and triggers.manual:
        found.update(triggers.manual.inputs)
    return found


class Jobs:
    """The shapes of a file's jobs, made once: files may have thousands."""

    def __init__(self, workflow: model.Workflow, variables: frozenset[str], files: CalledFiles) -> None:
        self.variables = (*workflow.vars, *sorted(variables))
        self._shapes = {job_id: _job_shape(job_id, job, files) for job_id, job in workflow.jobs.items()}
        self._others = {
            job_id: (Code.UNKNOWN_NEED, f"the job `{job_id}` is not in `needs`", f"add `{job_id}` to `needs`")
            for job_id in workflow.jobs
        }

    def all(self) -> Shape:
        """The context ``jobs`` of a reusable workflow's outputs."""
        return Closed(self._shapes, "there is no job `{}`", Code.UNKNOWN_JOB)

    def needs(self, job_id: str, job: model.Job) -> Shape:
        """The context ``needs`` of a job; open when one of its needs is already reported as unknown."""
        if any(need not in self._shapes for need in job.needs):
            return OPEN
        known = {need: self._shapes[need] for need in job.needs}
        return Closed(
            known, "there is no job `{}`", Code.UNKNOWN_NEED, f"add it to `needs` of `{job_id}`", self._others
        )


def job_contexts(jobs: Jobs, job_id: str, job: model.Job) -> dict[str, Shape]:
    """What a job sees beside the file's contexts."""
    found: dict[str, Shape] = {"needs": jobs.needs(job_id, job), "matrix": matrix_shape(job)}
    added = vars_set_by(job)
    if added:
        found["vars"] = _vars([*jobs.variables, *added])
    if job.for_each is None:
        found |= {"item": NOT_HERE, "index": NOT_HERE}
    return found


_INSTANCE = "agent result outputs error matrix item"


def _job_shape(job_id: str, job: model.Job, files: CalledFiles) -> Shape:
    outputs = _job_outputs(job_id, job, files)
    instance: dict[str, Shape] = dict.fromkeys(_INSTANCE.split(), OPEN)
    results = ListOf(Closed({**instance, "outputs": outputs}, f"a result of the job `{job_id}` has no `{{}}`"))
    return Closed({"result": VALUE, "outputs": outputs, "results": results}, f"`needs.{job_id}` has no `{{}}`")


def _job_outputs(job_id: str, job: model.Job, files: CalledFiles) -> Shape:
    if job.uses is None:
        hint = f"declare it under `outputs` of `{job_id}`"
        unknown = f"the job `{job_id}` has no output `{{}}`"
        return Closed(dict.fromkeys(job.outputs, OPEN), unknown, Code.UNKNOWN_OUTPUT, hint)
    called = files.get(job.uses)
    if called is None or not called.callable:
        return OPEN
    return Closed(dict.fromkeys(called.outputs, OPEN), f"`{job.uses}` has no output `{{}}`", Code.UNKNOWN_OUTPUT)


def matrix_shape(job: model.Job) -> Shape:
    """The names of a matrix; open where an expression gives them."""
    strategy = job.strategy_keys
    matrix: Any = strategy.matrix if strategy else None
    if isinstance(matrix, str) or isinstance(job.strategy, str):
        return OPEN
    values = model.as_mapping(matrix)
    if values is None:
        return Closed({}, "`matrix` has no `{}`", hint="the job has no `strategy.matrix`")
    names: dict[str, Shape] = {name: OPEN for name in values if name not in ("include", "exclude")}
    include = model.as_list(values.get("include", []))
    for each in [None] if include is None else include:
        entry = model.as_mapping(each)
        if entry is None:
            return OPEN
        names |= dict.fromkeys(entry, OPEN)
    return Closed(names, "`matrix` has no `{}`")


def step_shape(step: model.Block, catalog: Catalog | None, looped: bool) -> Shape:
    """What ``steps.<id>`` holds."""
    outputs = _outputs(step, catalog) if isinstance(step, model.Step) else OPEN
    names: dict[str, Shape] = {
        "outputs": outputs,
        "outcome": VALUE,
        "conclusion": VALUE,
        "error": OPEN,
        "exit-code": VALUE,
    }
    if looped or not isinstance(step, model.Step) or step.for_each is not None:
        names["results"] = OPEN
    return Closed(names, f"`steps.{step.id}` has no `{{}}`")


def _outputs(step: model.Step, catalog: Catalog | None) -> Shape:
    if step.run is not None or not step.uses:
        return OPEN
    uses = parse_uses(step.uses, catalog)
    if uses is None or uses.kind not in (UsesKind.NODE, UsesKind.CONTROL):
        return OPEN
    if uses.name == "data/transform" and isinstance(step.with_, dict):
        return Closed(
            dict.fromkeys(step.with_, OPEN), f"the step `{step.id}` has no output `{{}}`", Code.UNKNOWN_OUTPUT
        )
    signature = signature_of(uses.name, catalog)
    if signature is None or not is_closed(signature.outputs):
        return OPEN
    return Closed(
        dict.fromkeys(signature.outputs["properties"], OPEN),
        f"the node `{uses.name}` has no output `{{}}`",
        Code.UNKNOWN_OUTPUT,
    )


def signature_of(name: str, catalog: Catalog | None) -> NodeSignature | None:
    """What is known of a node."""
    return CONTROL_NODES.get(name) or (catalog.nodes.get(name) if catalog else None)


def is_closed(schema: dict[str, Any]) -> bool:
    """Whether a schema names all there is: it has properties and leaves no word about others, or refuses them."""
    if "patternProperties" in schema or schema.get("additionalProperties", False) is not False:
        return False
    return bool(schema.get("properties")) or schema.get("additionalProperties") is False
