"""``runs-on`` against the groups and agents that exist."""

from __future__ import annotations

from waterflow_dsl import model
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._codes import Code
from waterflow_dsl._diagnostics import Report, did_you_mean
from waterflow_dsl._source import Node, Scalar, Sequence

BUILT_IN_GROUPS = frozenset({"all-servers", "default"})


def check_target(owner: model.Job | model.JobDefaults, report: Report, catalog: Catalog | None) -> None:
    """Report groups and agents that do not exist."""
    runs_on = owner.runs_on
    path = f"{owner.path}.runs-on"
    node = owner.node_of("runs-on")
    if isinstance(runs_on, model.RunsOn) and not runs_on.node.entries:
        hint = "write `{group: web}`, `{tags: [linux]}` or `{agent: web-01}`"
        report.add(Code.EMPTY_VALUE, node, "`runs-on` is empty", path=path, hint=hint)
    if runs_on is None or catalog is None:
        return
    if isinstance(runs_on, tuple):
        _check_tags(node, path, report, catalog)
    elif isinstance(runs_on, str):
        _check_group(node, path, report, catalog)
    else:
        if runs_on.group is not None:
            for each in _scalars(runs_on.node_of("group")):
                _check_group(each, f"{path}.group", report, catalog)
        if runs_on.agent is not None:
            _check_agent(runs_on.node_of("agent"), f"{path}.agent", report, catalog)


def check_group_on_github(job: model.Job, report: Report) -> None:
    """GitHub's groups may say where they are defined: `organization/name` or `enterprise/name`."""
    group = job.runs_on.group if isinstance(job.runs_on, model.RunsOn) else None
    if not isinstance(group, str) or "/" not in group or "${{" in group:
        return
    prefix, _slash, name = group.partition("/")
    if prefix not in _GROUP_PREFIXES or not name or "/" in name:
        node = job.runs_on.node_of("group") if isinstance(job.runs_on, model.RunsOn) else job.node
        message = f"`{group[:60]}` is not the name of a group"
        hint = "write `name`, `organization/name` or `enterprise/name`"
        report.add(Code.NOT_A_NAME, node, message, path=f"{job.path}.runs-on.group", hint=hint)


_GROUP_PREFIXES = frozenset({"org", "organization", "ent", "enterprise"})


def check_rollout(job: model.Job, report: Report) -> None:
    """A rollout goes over all members; a job that says otherwise has no use for it."""
    runs_on = job.runs_on
    if job.rollout and isinstance(runs_on, model.RunsOn) and (runs_on.target == "any" or runs_on.agent):
        message = "`rollout` has no effect: the job runs on one agent only"
        report.add(
            Code.NEEDS_TARGET_ALL, job.key("rollout"), message, path=f"{job.path}.rollout", hint="add `target: all`"
        )


def _scalars(node: Node) -> list[Node]:
    return node.items if isinstance(node, Sequence) else [node]


def _static(node: Node) -> str | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, str) and "${{" not in value else None


def _check_group(node: Node, path: str, report: Report, catalog: Catalog) -> None:
    name = _static(node)
    if name is None or catalog.groups is None or name in catalog.groups or name in BUILT_IN_GROUPS:
        return
    groups = sorted(catalog.groups | BUILT_IN_GROUPS)
    hint = did_you_mean(report.nearest(name, groups)) or "groups: " + ", ".join(groups[:10])
    report.add(Code.UNKNOWN_GROUP, node, f"unknown group `{name}`", path=path, hint=hint)


def _check_agent(node: Node, path: str, report: Report, catalog: Catalog) -> None:
    name = _static(node)
    if name is None or catalog.agents is None or name in catalog.agents:
        return
    hint = did_you_mean(report.nearest(name, sorted(catalog.agents)))
    report.add(Code.UNKNOWN_AGENT, node, f"unknown agent `{name}`", path=path, hint=hint)


def _check_tags(node: Node, path: str, report: Report, catalog: Catalog) -> None:
    for index, each in enumerate(_scalars(node)):
        name = _static(each)
        if name is not None and catalog.groups is not None and name in catalog.groups:
            message = f"`{name}` is a group, but in a list every entry is a tag"
            report.add(Code.GROUP_AS_TAG, each, message, path=f"{path}[{index}]", hint=f"write `{{group: {name}}}`")
