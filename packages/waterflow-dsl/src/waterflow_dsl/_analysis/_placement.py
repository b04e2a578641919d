"""Whether a job's group can run its nodes: some member has what each of them needs."""

from __future__ import annotations

import re

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report
from waterflow_dsl._uses import parse_uses

DEFAULT_GROUP = "default"


def check_placement(
    job: model.Job, defaults: model.JobDefaults | None, report: Report, catalog: Catalog | None
) -> None:
    """Report steps whose node needs a capability that no member of the job's groups has."""
    if catalog is None or catalog.capabilities is None:
        return
    groups = _groups(job, defaults)
    if not groups or not all(group in catalog.capabilities for group in groups):
        return
    present = frozenset[str]().union(*(catalog.capabilities[group] for group in groups))
    for block in all_blocks(job):
        if isinstance(block, model.Step) and block.uses is not None:
            _check_step(block, block.uses, groups, present, report, catalog)


def _groups(job: model.Job, defaults: model.JobDefaults | None) -> tuple[str, ...]:
    """The groups of a job; empty where tags, an agent or an expression say who runs it."""
    for level in (job, job.defaults, defaults):
        runs_on = level.runs_on if level else None
        if runs_on is not None:
            return _named(runs_on)
    return () if job.uses else (DEFAULT_GROUP,)


def _named(runs_on: model.RunsOn | str | tuple[str, ...]) -> tuple[str, ...]:
    group = runs_on.group if isinstance(runs_on, model.RunsOn) else runs_on if isinstance(runs_on, str) else None
    groups = (group,) if isinstance(group, str) else group or ()
    return () if any("${{" in each for each in groups) else groups


def _check_step(
    step: model.Step, name: str, groups: tuple[str, ...], present: frozenset[str], report: Report, catalog: Catalog
) -> None:
    uses = parse_uses(name, catalog)
    signature = catalog.nodes.get(uses.name) if uses else None
    for missing in sorted(each for each in signature.capabilities if _name(each) not in present) if signature else ():
        where = "the group" if len(groups) == 1 else "the groups"
        listed = ", ".join(f"`{group}`" for group in groups)
        message = f"no member of {where} {listed} has the capability `{missing}`, which `{name}` needs"
        report.add(
            Code.NO_CAPABILITY, step.node_of("uses"), message, path=f"{step.path}.uses", hint=_hint(missing, catalog)
        )


def _hint(missing: str, catalog: Catalog) -> str:
    having = sorted(group for group, names in (catalog.capabilities or {}).items() if _name(missing) in names)
    return "groups that have it: " + ", ".join(having[:8]) if having else f"install `{missing}` on a member"


def _name(required: str) -> str:
    """Of ``node 20`` the name; which version somebody has, only its members say."""
    return re.split(r"[\s<>=]", required.strip(), maxsplit=1)[0]
