"""Step ids: unique in a job, except that ``then`` and ``else`` of one ``if`` may share."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks, children
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._source import Node

MAX_LENGTH = 100


def check_ids_on_github(job_id: str, key: Node, job: model.Job, report: Report) -> None:
    """Report ids that GitHub keeps for itself, or finds too long."""
    _check_form(job_id, key, job.path, report)
    for block in all_blocks(job):
        if block.id:
            _check_form(block.id, block.node_of("id"), f"{block.path}.id", report)


def _check_form(name: str, place: Node, path: str, report: Report) -> None:
    if name.startswith("__"):
        report.add(Code.NOT_A_NAME, place, f"`{name[:60]}`: ids that start with `__` are GitHub's own", path=path)
    elif len(name) >= MAX_LENGTH:
        message = f"`{name[:20]}…` has {len(name)} characters; ids have fewer than {MAX_LENGTH}"
        report.add(Code.NOT_A_NAME, place, message, path=path, hint="shorten it")


def check_ids(job: model.Job, report: Report) -> None:
    """Report every id that is there twice."""
    seen: dict[str, int] = {}
    check = job.rollout.check if job.rollout else ()
    for blocks in (job.steps, check, job.on_failure, job.finally_):
        _check_list(blocks, seen, report)


def _check_list(blocks: tuple[model.Block, ...], seen: dict[str, int], report: Report) -> None:
    for block in blocks:
        if block.id:
            _check_id(block, block.id, seen, report)
        if isinstance(block, model.Branch):
            other = dict(seen)
            _check_list(block.then, seen, report)
            _check_list(block.else_, other, report)
            seen.update(other)
            continue
        for inner in children(block):
            _check_list(inner, seen, report)


def _check_id(block: model.Block, step_id: str, seen: dict[str, int], report: Report) -> None:
    place = block.node_of("id")
    line = seen.setdefault(step_id.lower(), place.line)
    if line != place.line:
        message = f"the id `{step_id}` is already used in line {line}"
        report.add(Code.DUPLICATE_ID, place, message, path=f"{block.path}.id", hint="ids are unique in a job")
