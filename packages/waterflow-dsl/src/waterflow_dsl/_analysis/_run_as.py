"""``run-as``: the node's work is done by processes, which alone can belong to another user."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._codes import Code
from waterflow_dsl._confinement import Level, levels_of, run_as_of
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import UsesKind


def check_run_as(job: model.Job, defaults: model.JobDefaults | None, report: Report, catalog: Catalog | None) -> None:
    """Report steps that cannot run as another user, at the place that asks for it."""
    around = levels_of(job, defaults)
    for block in all_blocks(job):
        if isinstance(block, model.Step) and block.uses is not None:
            user, written = run_as_of(block, around)
            if user and "${{" not in user:
                _check_step(block, block.uses, written, report, catalog)


def _check_step(step: model.Step, name: str, written: Level, report: Report, catalog: Catalog | None) -> None:
    uses = parse_uses(name, catalog)
    if uses is None:
        return
    path = f"{written.path}.run-as"
    if uses.kind is UsesKind.CONTROL:
        if written is step:
            message = f"`{uses.name}` runs on no host: `run-as` has no meaning for it"
            report.add(Code.RUN_AS_NOT_HERE, step.key("run-as"), message, path=path, hint="remove it")
        return
    signature = catalog.nodes.get(uses.name) if catalog and uses.kind is UsesKind.NODE else None
    if signature is not None and not signature.confinable:
        message = f"the node `{uses.name}` works inside the agent, so it cannot run as `{written.run_as}`"
        hint = 'give the step `run-as: ""`, or do its work in a `run`'
        report.add(Code.RUN_AS_NOT_HERE, written.key("run-as"), message, path=path, hint=hint)
